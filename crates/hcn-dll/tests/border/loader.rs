// SPDX-License-Identifier: MIT OR Apache-2.0
//! What only the Windows loader can tell: ordinals, the second library, whose heap the texts are on.

use std::{ffi::c_void, ptr};

use hcn_abi::COMPUTENETWORK;
use libloading::os::windows::Library;

use crate::library::{LIBRARY, file, read};

type Address = unsafe extern "system" fn();

fn load(path: &std::path::Path) -> Library {
    // SAFETY: loading our own library runs no code of ours.
    unsafe { Library::new(path) }.unwrap()
}

#[test]
fn an_ordinal_leads_to_the_function_of_its_name() {
    let library = load(&file());
    for export in COMPUTENETWORK {
        let Some(ordinal) = export.ordinal else {
            continue;
        };
        // SAFETY: the symbols are not called.
        let (by_name, by_ordinal) = unsafe {
            (
                *library.get::<Address>(export.name).unwrap(),
                *library.get_ordinal::<Address>(ordinal).unwrap(),
            )
        };
        assert_eq!(by_name as usize, by_ordinal as usize, "{}", export.name);
    }
}

#[test]
fn the_second_library_leads_to_the_first() {
    let second = file().with_file_name("vmcompute.dll");
    if !second.is_file() {
        testkit::skip(
            "the_second_library_leads_to_the_first",
            "vmcompute.dll was not built (build hcn-dll-vmcompute)",
        );
        return;
    }
    let (first, second) = (load(&file()), load(&second));
    // SAFETY: the symbols are not called.
    let (one, two) = unsafe {
        (
            *first.get::<Address>("HNSCall").unwrap(),
            *second.get::<Address>("HNSCall").unwrap(),
        )
    };
    assert_eq!(one as usize, two as usize);
}

/// As a client does that takes `LocalFree` for right (hns-behaviour 1.1): a text is on the heap of the process, where both allocators look.
#[test]
fn a_text_may_be_freed_with_local_free() {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn LocalFree(memory: *mut c_void) -> *mut c_void;
    }
    for _ in 0..1000 {
        let mut text = ptr::null_mut();
        // SAFETY: the output is local; the text is the library's and freed once.
        unsafe {
            let code =
                (LIBRARY.hcn.HcnEnumerateNetworks)(ptr::null(), &raw mut text, ptr::null_mut());
            assert_eq!(code, 0);
            assert!(read(text).starts_with('['));
            assert!(
                LocalFree(text.cast()).is_null(),
                "NULL says that it is freed"
            );
        }
    }
}
