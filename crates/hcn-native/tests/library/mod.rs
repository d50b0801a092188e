// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our own library behind the envoy.
//!
//! Apart because each test program is a process of its own, with one HNS for its life: a library reads the environment when it is first called.

#![allow(dead_code, reason = "each test program uses its own part of it")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::LazyLock,
};

use hcn_native::Native;

/// The envoy of this process to a library on a store of this process.
pub static HNS: LazyLock<Native> = LazyLock::new(|| {
    let state = fresh_folder("store");
    // SAFETY: the library reads the environment when it is first called, which is after this; no other thread of the test writes it, and
    // those that read it do so through the same lock of the standard library.
    unsafe {
        env::set_var("HCNCTL_STATE", &state);
        env::remove_var("HCNCTL_HOST");
        // The newest: it modifies load balancers too.
        env::set_var("HCNCTL_PROFILE", "16.0");
    }
    Native::open(Some(&file())).unwrap()
});

/// A folder of this process that is not there yet.
pub fn fresh_folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("hcn-native-{}-{name}", process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

/// Our library: built beside the tests, since they depend on its crate.
pub fn file() -> PathBuf {
    let name = format!(
        "{}computenetwork{}",
        env::consts::DLL_PREFIX,
        env::consts::DLL_SUFFIX
    );
    env::current_exe()
        .unwrap()
        .ancestors()
        .skip(1)
        .map(|folder: &Path| folder.join(&name))
        .find(|file| file.is_file())
        .expect("the library was built with the tests")
}
