// SPDX-License-Identifier: MIT OR Apache-2.0
//! File systems of a test's own: read-only, or small enough to be full.
//!
//! Apart because mounting needs a private mount namespace, so the test runs itself a second time inside one and the machine sees nothing.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Names the directory inside; set only there.
const INSIDE: &str = "HCN_SERVICE_TEST_MOUNT";

/// Inside: the mounted directory. Outside: runs this test again inside, where `prepare` (shell, `$1` is the directory) has mounted, and
/// tells `None`; a skip is counted where nothing can be mounted.
///
/// # Panics
/// Where the test fails inside.
pub fn inside(test: &str, prepare: &str) -> Option<PathBuf> {
    if let Some(directory) = env::var_os(INSIDE) {
        return Some(directory.into());
    }
    let directory = super::Directory::new();
    let Some(flags) = ["-m", "-Urm"].into_iter().find(|flags| can_mount(flags)) else {
        testkit::skip(test, "this user cannot mount in a namespace of its own");
        return None;
    };
    // Exit code 99: mounting itself failed.
    let script = format!("({prepare}) || exit 99; shift; exec \"$@\"");
    let output = Command::new("unshare")
        .args([flags, "sh", "-c", &script, "sh"])
        .arg(directory.path())
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, directory.path())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "inside: {out}{err}");
    // A name that matches nothing would pass without a word.
    assert!(out.contains("1 passed"), "nothing ran inside: {out}{err}");
    None
}

fn can_mount(flags: &str) -> bool {
    let directory = super::Directory::new();
    Command::new("unshare")
        .args([
            flags,
            "sh",
            "-c",
            "mount -t tmpfs -o size=1m none \"$1\"",
            "sh",
        ])
        .arg(directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a shell line inside.
///
/// # Panics
/// Where it fails.
pub fn shell(line: &str, directory: &std::path::Path) {
    let status = Command::new("sh")
        .args(["-c", line, "sh"])
        .arg(directory)
        .status()
        .unwrap();
    assert!(status.success(), "{line}");
}
