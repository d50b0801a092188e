// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is built for Windows, and run there by Wine: `hcnctl.exe`, the two libraries, and their tests.
//!
//! Apart from the other chores, which need Rust alone. Installs nothing: what is missing is said.

mod c_program;
mod exam;
mod prefix;
mod toolchain;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use serde_json::Value;

use crate::tidy;

pub use prefix::Prefix;
use toolchain::{TARGET, Toolchain, target_folder};

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Optimised, as it is shipped.
    pub release: bool,
    /// Run what was built.
    pub test: bool,
}

impl Options {
    /// Reads the words after the chore's name; `None` if one of them is unknown.
    pub fn parse(words: &[&str]) -> Option<Self> {
        let mut options = Options::default();
        for word in words {
            match *word {
                "--release" => options.release = true,
                "--test" => options.test = true,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// One file that a package becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Artefact {
    package: String,
    file: String,
}

/// What was built, and where it runs.
#[derive(Debug)]
pub struct Built {
    /// Holds `hcnctl.exe` and the libraries.
    pub folder: PathBuf,
    /// The libraries are in its system32.
    pub prefix: Prefix,
    libraries: Vec<Artefact>,
    toolchain: Toolchain,
    release: bool,
}

/// Builds, and tests if asked; whether all is well.
pub fn run(repository: &Path, options: Options) -> bool {
    let result = build(repository, options.release).and_then(|built| {
        println!("built in {}", built.folder.display());
        if options.test {
            test(repository, &built)
        } else {
            Ok(())
        }
    });
    if let Err(error) = &result {
        println!("windows: {error}");
    }
    result.is_ok()
}

/// Builds the program and the libraries and puts the libraries where programs look for them.
pub fn build(repository: &Path, release: bool) -> Result<Built, String> {
    let toolchain = Toolchain::find()?;
    let libraries = libraries(&tidy::metadata(repository)?);
    let start = Instant::now();
    let mut cargo = toolchain.cargo(repository, "build");
    cargo.args(["--package", "hcnctl"]);
    for library in &libraries {
        cargo.args(["--package", &library.package]);
    }
    if release {
        cargo.arg("--release");
    }
    good("cargo build", &mut cargo)?;
    println!(
        "== windows build ok after {:.1} s",
        start.elapsed().as_secs_f64()
    );
    let prefix = Prefix::open(repository, &toolchain.wine)?;
    let folder =
        target_folder(repository)
            .join(TARGET)
            .join(if release { "release" } else { "debug" });
    for library in &libraries {
        prefix.install(&folder.join(&library.file))?;
    }
    Ok(Built {
        folder,
        prefix,
        libraries,
        toolchain,
        release,
    })
}

/// Builds an example of a package as the rest was built; where it lies.
pub fn example(
    repository: &Path,
    built: &Built,
    package: &str,
    name: &str,
) -> Result<PathBuf, String> {
    let mut cargo = built.toolchain.cargo(repository, "build");
    cargo.args(["--package", package, "--example", name]);
    if built.release {
        cargo.arg("--release");
    }
    good("cargo build", &mut cargo)?;
    Ok(built.folder.join("examples").join(format!("{name}.exe")))
}

/// Runs the demo, the exam of the library through the program, the program in C, the libraries' own tests, those of the envoy, and those of
/// the program over the library: each of them, whatever comes of the others.
fn test(repository: &Path, built: &Built) -> Result<(), String> {
    let program = built.folder.join("hcnctl.exe");
    built.prefix.empty_folder("demo")?;
    println!("== hcnctl.exe demo");
    let demo = good(
        "hcnctl.exe demo",
        built
            .prefix
            .run(&program)
            .args(["--state", r"C:\demo", "demo"]),
    );
    let without = says_that_hns_is_not_installed(built, &program);
    let exam = exam::test(built, &program);
    let c_program = c_program::test(repository, built);
    let mut tests = Vec::new();
    for library in &built.libraries {
        tests.extend(["--package", &library.package]);
    }
    // Not the examples in documentation, which another program than cargo compiles.
    tests.extend(["--package", "hcn-native", "--tests"]);
    let libraries = cargo_test(repository, built, &tests);
    let over = cargo_test(
        repository,
        built,
        &["--package", "hcnctl", "--test", "native"],
    );
    let failed: Vec<String> = [demo, without, exam, c_program, libraries, over]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(failed.join("; ")),
    }
}

/// Runs the program where Wine has no such library. Here, since Wine reads that variable only from outside.
fn says_that_hns_is_not_installed(built: &Built, program: &Path) -> Result<(), String> {
    println!("== hcnctl.exe get networks, without HNS");
    let output = built
        .prefix
        .run(program)
        // On Windows, HNS is what is meant where nothing is said.
        .args(["get", "networks"])
        .env_remove("HCNCTL_HOST")
        .env_remove("HCNCTL_STATE")
        .env(
            "WINEDLLOVERRIDES",
            "computenetwork,vmcompute,mscoree,mshtml=",
        )
        .output()
        .map_err(|error| format!("hcnctl.exe: {error}"))?;
    let words = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(4) && words.contains("HNS is not installed") {
        return Ok(());
    }
    Err(format!(
        "hcnctl.exe without HNS: {}, and it says {words:?}",
        output.status
    ))
}

/// `cargo test` whose programs run under Wine.
fn cargo_test(repository: &Path, built: &Built, which: &[&str]) -> Result<(), String> {
    let mut cargo = built.toolchain.cargo(repository, "test");
    cargo.arg("--no-fail-fast").args(which);
    if built.release {
        cargo.arg("--release");
    }
    for (name, value) in built.prefix.environment() {
        cargo.env(name, value);
    }
    cargo.env(
        "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER",
        &built.toolchain.wine,
    );
    good("cargo test", &mut cargo)
}

/// The packages of the workspace that become libraries which other programs load.
fn libraries(metadata: &Value) -> Vec<Artefact> {
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            let loaded = target["crate_types"]
                .as_array()
                .is_some_and(|types| types.iter().any(|kind| kind == "cdylib"));
            if let (true, Some(package), Some(name)) =
                (loaded, package["name"].as_str(), target["name"].as_str())
            {
                found.push(Artefact {
                    package: package.to_owned(),
                    file: format!("{name}.dll"),
                });
            }
        }
    }
    found
}

/// Runs a command to its end; an error unless it ends well.
pub fn good(what: &str, command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what}: {status}")),
        Err(error) => Err(format!("{what}: {error}")),
    }
}

/// Says what came of a test that is no program of Rust's harness, in that harness's words, which `.ci/run` adds up.
fn counted(result: Result<(), String>) -> Result<(), String> {
    println!(
        "test result: {}. {} passed; {} failed; 0 ignored",
        if result.is_ok() { "ok" } else { "FAILED" },
        u8::from(result.is_ok()),
        u8::from(result.is_err())
    );
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_other_programs_load_is_a_library() {
        let metadata = json!({"packages": [
            {"name": "hcn-dll", "targets": [
                {"name": "computenetwork", "crate_types": ["cdylib", "rlib"]},
                {"name": "border", "crate_types": ["bin"]},
            ]},
            {"name": "hcn", "targets": [{"name": "hcn", "crate_types": ["lib"]}]},
        ]});
        assert_eq!(
            libraries(&metadata),
            [Artefact {
                package: "hcn-dll".into(),
                file: "computenetwork.dll".into()
            }]
        );
    }

    #[test]
    fn an_unknown_word_is_not_taken_for_an_option() {
        assert_eq!(
            Options::parse(&["--test", "--release"]),
            Some(Options {
                release: true,
                test: true
            })
        );
        assert_eq!(Options::parse(&["--tests"]), None);
    }

    #[test]
    fn a_program_that_fails_or_is_not_there_is_an_error() {
        assert_eq!(good("true", &mut Command::new("true")), Ok(()));
        assert!(good("false", &mut Command::new("false")).is_err());
        assert!(good("none", &mut Command::new("no-such-program-here")).is_err());
    }
}
