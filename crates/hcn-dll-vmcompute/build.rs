// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells the linker what the library exports: names of another library's functions, which no source can say.

fn main() {
    let exports = "../hcn-abi/exports/vmcompute.def";
    println!("cargo:rerun-if-changed={exports}");
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "windows" && target("ENV") == "gnu" {
        let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        println!("cargo:rustc-cdylib-link-arg={folder}/{exports}");
    }
}
