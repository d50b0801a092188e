// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Wine prefix: a Windows of the repository's own, under `target`.
//!
//! Apart because what Wine lacks is mended here and nowhere else. A prefix is made once; what is installed in it is replaced.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{good, toolchain::MINGW};

/// Changes when a prefix has to be made anew.
const RECIPE: &str = "1: win10, ProcessPrng";

const STAND_IN: &str = "bcryptprimitives.dll";

/// A prefix, and what runs programs in it.
#[derive(Clone, Debug)]
pub struct Prefix {
    wine: PathBuf,
    folder: PathBuf,
}

impl Prefix {
    /// The repository's prefix, made if it is not there.
    pub fn open(repository: &Path, wine: &Path) -> Result<Self, String> {
        let target = fs::canonicalize(repository)
            .map_err(|error| format!("{}: {error}", repository.display()))?
            .join("target");
        let prefix = Prefix {
            wine: wine.to_owned(),
            folder: target.join("wine"),
        };
        let marker = prefix.folder.join("recipe");
        if fs::read_to_string(&marker).is_ok_and(|recipe| recipe == RECIPE) {
            return Ok(prefix);
        }
        println!("making the Wine prefix {}", prefix.folder.display());
        if prefix.folder.exists() {
            fs::remove_dir_all(&prefix.folder)
                .map_err(|error| format!("{}: {error}", prefix.folder.display()))?;
        }
        fs::create_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))?;
        good("wineboot", prefix.run("wineboot").arg("-i"))?;
        // The default is Windows 7; programs of today ask for more.
        good(
            "wine reg",
            prefix.run("reg").args([
                "add",
                r"HKCU\Software\Wine",
                "/v",
                "Version",
                "/d",
                "win10",
                "/f",
            ]),
        )?;
        let stand_in = prefix.system32().join(STAND_IN);
        if !stand_in.exists() {
            let source = repository.join("xtask/src/windows/bcryptprimitives.c");
            good(
                MINGW,
                Command::new(MINGW)
                    .args(["-O2", "-Wall", "-Werror", "-shared", "-o"])
                    .arg(&stand_in)
                    .arg(source)
                    .arg("-ladvapi32"),
            )?;
        }
        fs::write(&marker, RECIPE).map_err(|error| format!("{}: {error}", marker.display()))?;
        Ok(prefix)
    }

    /// `wine PROGRAM` in this prefix.
    pub fn run(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(&self.wine);
        command.arg(program.as_ref());
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command.stdin(Stdio::null());
        command
    }

    /// What a process needs so that the Wine which it starts is in this prefix.
    pub fn environment(&self) -> [(&'static str, PathBuf); 4] {
        [
            ("WINE", self.wine.clone()),
            ("WINEPREFIX", self.folder.clone()),
            ("WINEDEBUG", "-all".into()),
            // No question whether .NET and a browser shall be fetched.
            ("WINEDLLOVERRIDES", "mscoree,mshtml=".into()),
        ]
    }

    /// The only folder from which programs load what belongs to Windows.
    pub fn system32(&self) -> PathBuf {
        self.drive().join("windows/system32")
    }

    /// What programs know as `C:`.
    pub fn drive(&self) -> PathBuf {
        self.folder.join("drive_c")
    }

    /// The folder that programs know as `C:\NAME`, empty.
    pub fn empty_folder(&self, name: &str) -> Result<(), String> {
        let folder = self.drive().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))
    }

    /// Puts a library into system32, under its name in one step: a program that has the old one open keeps it.
    pub fn install(&self, library: &Path) -> Result<(), String> {
        let name = library
            .file_name()
            .ok_or_else(|| format!("{} is no file", library.display()))?;
        let place = self.system32().join(name);
        let beside = place.with_extension(format!("new{}", std::process::id()));
        fs::copy(library, &beside)
            .and_then(|_| fs::rename(&beside, &place))
            .map_err(|error| format!("{}: {error}", library.display()))
    }
}
