// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells the linker what the library exports beyond names: ordinals on Windows, and that it stays loaded on Linux.

fn main() {
    let exports = "../hcn-abi/exports/computenetwork.def";
    println!("cargo:rerun-if-changed={exports}");
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "windows" && target("ENV") == "gnu" {
        let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        println!("cargo:rustc-cdylib-link-arg={folder}/{exports}");
    }
    if target("OS") == "linux" {
        // A callback's thread may still be returning into the library when the last registration is gone.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
