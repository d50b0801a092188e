// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program in C, built against the header, that examines every export; and the same under valgrind.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use crate::library::{file, fresh_state, remove};

/// The examining program; `None` where there is no C compiler.
static EXAM: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    if Command::new(&compiler).arg("--version").output().is_err() {
        return None;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = file();
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exam");
    let output = Command::new(&compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-I"])
        .arg(here.join("../hcn-abi/include"))
        .arg(here.join("tests/c/exam.c"))
        .arg("-o")
        .arg(&program)
        .arg(&library)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", words(&output));
    Some(program)
});

fn words(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs the program, perhaps by another program, on an empty store.
fn run(mut command: Command, name: &str) -> Output {
    let state = fresh_state(name);
    let output = command
        .env("LD_LIBRARY_PATH", file().parent().unwrap())
        .env("HCNCTL_STATE", &state)
        .env_remove("HCNCTL_HOST")
        .env("HCNCTL_PROFILE", "16.0")
        .output()
        .unwrap();
    remove(&state);
    output
}

#[test]
fn every_export_answers_a_c_program_as_the_border_says() {
    const TEST: &str = "every_export_answers_a_c_program_as_the_border_says";
    let Some(exam) = &*EXAM else {
        testkit::skip(TEST, "no C compiler (install gcc)");
        return;
    };
    let output = run(Command::new(exam), "exam");
    let words = words(&output);
    assert!(output.status.success(), "{words}");
    // As many as there were when this was written: a program that ends early has not examined anything.
    let checks = words
        .lines()
        .find_map(|line| line.strip_suffix(" checks, 0 faults"))
        .and_then(|count| count.parse::<u32>().ok());
    assert!(checks.is_some_and(|count| count > 1300), "{words}");
}

#[test]
fn valgrind_finds_nothing_in_the_c_program() {
    const TEST: &str = "valgrind_finds_nothing_in_the_c_program";
    let Some(exam) = &*EXAM else {
        testkit::skip(TEST, "no C compiler (install gcc)");
        return;
    };
    if Command::new("valgrind").arg("--version").output().is_err() {
        testkit::skip(TEST, "no valgrind (install valgrind)");
        return;
    }
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args([
            "--quiet",
            "--error-exitcode=9",
            "--leak-check=full",
            "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect",
        ])
        .arg(exam)
        // Units of the large texts, instead of a million: valgrind takes half a minute longer for those and sees the same.
        .arg("20000");
    let output = run(valgrind, "valgrind");
    assert!(output.status.success(), "{}", words(&output));
}
