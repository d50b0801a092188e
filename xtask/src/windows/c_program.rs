// SPDX-License-Identifier: MIT OR Apache-2.0
//! The examining program in C, built by mingw against the header and the library, and run by Wine.
//!
//! Apart because cargo knows no C. The same program is built against the `.so` by the tests of `hcn-dll`. One that ends early has examined
//! nothing: too few checks are a failure.

use std::{path::Path, process::Command};

use super::{Built, counted, good, toolchain::MINGW};

/// Fewer than there were when this was written.
const ENOUGH: u32 = 1400;

/// Builds the program and runs it on an empty store.
pub fn test(repository: &Path, built: &Built) -> Result<(), String> {
    let program = built.folder.join("exam.exe");
    good(
        MINGW,
        Command::new(MINGW)
            .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-I"])
            .arg(repository.join("crates/hcn-abi/include"))
            .arg(repository.join("crates/hcn-dll/tests/c/exam.c"))
            .arg("-o")
            .arg(&program)
            .arg(built.folder.join("computenetwork.dll"))
            .args(["-lole32", "-static-libgcc"]),
    )?;
    built.prefix.empty_folder("c-program")?;
    let output = built
        .prefix
        .run(&program)
        .env("HCNCTL_STATE", r"C:\c-program")
        .env("HCNCTL_PROFILE", "16.0")
        .env_remove("HCNCTL_HOST")
        .output()
        .map_err(|error| format!("exam.exe: {error}"))?;
    let words = String::from_utf8_lossy(&output.stdout);
    let result = verdict(output.status.success(), &words);
    println!("== a program in C, built by mingw, on computenetwork.dll");
    print!("{words}");
    counted(result)
}

/// What came of a run.
fn verdict(ended_well: bool, words: &str) -> Result<(), String> {
    let checks = words
        .lines()
        .find_map(|line| line.trim_end().strip_suffix(" checks, 0 faults"))
        .and_then(|count| count.parse::<u32>().ok());
    match checks {
        Some(count) if ended_well && count >= ENOUGH => Ok(()),
        Some(count) if ended_well => Err(format!(
            "exam.exe made {count} checks, and there are {ENOUGH} at least"
        )),
        _ => Err("exam.exe found faults, or did not end".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_a_crash_and_an_early_end_are_failures() {
        assert_eq!(verdict(true, "1400 checks, 0 faults\r\n"), Ok(()));
        for (ended_well, words) in [
            (
                true,
                "line 3: code is 0x1, expected 0x0\n1400 checks, 1 faults\n",
            ),
            (true, "12 checks, 0 faults\n"),
            (false, "1400 checks, 0 faults\n"),
            (true, ""),
        ] {
            assert!(verdict(ended_well, words).is_err(), "{words}");
        }
    }
}
