// SPDX-License-Identifier: MIT OR Apache-2.0
//! What builds for Windows and runs the result: which tools are there, and what would bring the missing ones.
//!
//! Apart because it looks and changes nothing: a missing tool is named with the package that has it, and is never installed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The only target built for.
pub const TARGET: &str = "x86_64-pc-windows-gnu";

/// Debian's compiler and the source of its standard library, for machines whose own toolchain has no library for the target.
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/src/rust/library/Cargo.lock";

/// The linker of the target, and the C compiler of the bundled SQLite.
pub const MINGW: &str = "x86_64-w64-mingw32-gcc";

/// Where Debian's wine64 lies when no package has put it on the path.
const DEBIAN_WINE: &str = "/usr/lib/wine/wine64";

/// A machine that can do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// Whether cargo's own toolchain has the standard library of the target; otherwise Debian's builds one.
    has_target: bool,
    /// Runs a Windows program.
    pub wine: PathBuf,
}

impl Toolchain {
    /// What is there; or the sentence that says what is missing.
    pub fn find() -> Result<Self, String> {
        let path = env::var_os("PATH").unwrap_or_default();
        let on_path = |program: &str| {
            env::split_paths(&path)
                .map(|folder| folder.join(program))
                .find(|file| file.is_file())
        };
        Self::find_with(
            own_toolchain_has_target(),
            |file| fs::exists(file).unwrap_or(false),
            on_path,
        )
    }

    fn find_with(
        has_target: bool,
        exists: impl Fn(&str) -> bool,
        on_path: impl Fn(&str) -> Option<PathBuf>,
    ) -> Result<Self, String> {
        let mut missing = Vec::new();
        if !has_target {
            for (file, package) in [
                (DEBIAN_RUSTC, "rustc-web"),
                (DEBIAN_CARGO, "cargo-web"),
                (DEBIAN_LIBRARY, "rust-web-src"),
            ] {
                if !exists(file) {
                    missing.push(package);
                }
            }
        }
        if on_path(MINGW).is_none() {
            missing.push("gcc-mingw-w64-x86-64");
        }
        let wine = on_path("wine")
            .or_else(|| on_path("wine64"))
            .or_else(|| exists(DEBIAN_WINE).then(|| DEBIAN_WINE.into()));
        match wine {
            Some(wine) if missing.is_empty() => Ok(Toolchain { has_target, wine }),
            wine => {
                if wine.is_none() {
                    missing.push("wine64");
                }
                Err(format!(
                    "missing: apt-get install --no-install-recommends {}",
                    missing.join(" ")
                ))
            }
        }
    }

    /// `cargo VERB` for the target. Its own target folder, since another compiler than the workspace's may fill it.
    pub fn cargo(&self, repository: &Path, verb: &str) -> Command {
        let mut command = if self.has_target {
            let mut command = Command::new("cargo");
            command.arg(verb);
            command
        } else {
            let mut command = Command::new(DEBIAN_CARGO);
            command
                .arg(verb)
                .arg("-Zbuild-std=std,panic_unwind")
                .env("RUSTC", DEBIAN_RUSTC)
                // Building a standard library is not stable; nothing in the workspace uses another unstable thing.
                .env("RUSTC_BOOTSTRAP", "1")
                // `cargo xtask` sets it to the libraries of the other compiler.
                .env_remove("LD_LIBRARY_PATH");
            command
        };
        command
            .args(["--locked", "--target", TARGET])
            .env("CARGO_TARGET_DIR", target_folder(repository))
            .current_dir(repository);
        command
    }
}

/// Everything that is built for Windows.
pub fn target_folder(repository: &Path) -> PathBuf {
    repository.join("target").join("windows")
}

fn own_toolchain_has_target() -> bool {
    Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .stderr(Stdio::null())
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .is_some_and(|folder| Path::new(folder.trim()).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere(_: &str) -> Option<PathBuf> {
        None
    }

    fn everywhere(program: &str) -> Option<PathBuf> {
        Some(Path::new("/bin").join(program))
    }

    #[test]
    fn a_bare_machine_is_told_one_line_that_installs_everything() {
        assert_eq!(
            Toolchain::find_with(false, |_| false, nowhere),
            Err(
                "missing: apt-get install --no-install-recommends rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64 wine64"
                    .into()
            )
        );
    }

    #[test]
    fn only_what_is_missing_is_named() {
        assert_eq!(
            Toolchain::find_with(false, |file| file != DEBIAN_LIBRARY, everywhere),
            Err("missing: apt-get install --no-install-recommends rust-web-src".into())
        );
        assert_eq!(
            Toolchain::find_with(
                true,
                |_| false,
                |program| (program == MINGW).then(|| "gcc".into())
            ),
            Err("missing: apt-get install --no-install-recommends wine64".into())
        );
    }

    #[test]
    fn a_toolchain_with_the_target_needs_no_second_compiler() {
        assert_eq!(
            Toolchain::find_with(true, |_| false, everywhere),
            Ok(Toolchain {
                has_target: true,
                wine: "/bin/wine".into()
            })
        );
    }

    #[test]
    fn wine_is_found_where_debian_puts_it() {
        let found = Toolchain::find_with(
            true,
            |file| file == DEBIAN_WINE,
            |program| (program == MINGW).then(|| "gcc".into()),
        );
        assert_eq!(found.unwrap().wine, Path::new(DEBIAN_WINE));
    }
}
