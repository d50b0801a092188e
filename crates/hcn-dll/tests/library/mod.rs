// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library as a program finds it: loaded at run time, called through the table of the border.
//!
//! Apart because each test of the library is a process of its own, with one store for the life of the process.

#![allow(
    non_snake_case,
    reason = "the functions have the names that programs import"
)]
#![allow(dead_code, reason = "each test calls what it needs of the whole table")]

use std::{
    env,
    ffi::c_void,
    fs,
    path::{Path, PathBuf},
    process, ptr,
    sync::LazyLock,
};

use hcn_abi::{GUID, types::*};
use libloading::Library;

/// A call that failed: its code, and its record where there was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: u32,
    pub record: Option<String>,
}

macro_rules! functions {
    ($( [$($ordinal:literal)?] $name:ident($($parameter:ident: $type:ty),*) -> $result:ty; )*) => {
        /// Every function of a library, found by its name.
        pub struct Functions {
            $( pub $name: unsafe extern "system" fn($($type),*) -> $result, )*
        }
        impl Functions {
            fn find(library: &Library) -> Self {
                // SAFETY: the table says the type of the function with the name; the header and Microsoft's own say the same.
                unsafe {
                    Functions { $( $name: *library.get(stringify!($name)).expect(stringify!($name)), )* }
                }
            }
        }
    };
}

pub mod computenetwork {
    use super::*;
    hcn_abi::computenetwork_exports!(functions);
    pub fn find(library: &Library) -> Functions {
        Functions::find(library)
    }
}

pub mod vmcompute {
    use super::*;
    hcn_abi::vmcompute_exports!(functions);
    pub fn find(library: &Library) -> Functions {
        Functions::find(library)
    }
}

/// The loaded library and its store.
pub struct Loaded {
    pub hcn: computenetwork::Functions,
    pub v1: vmcompute::Functions,
    pub state: PathBuf,
    _library: Library,
}

/// The library of this process, on a store of this process.
pub static LIBRARY: LazyLock<Loaded> = LazyLock::new(|| {
    let state = fresh_state("process");
    // SAFETY: the library reads the environment when it is first called, which is after this; no other thread of the test writes it, and
    // those that read it do so through the same lock of the standard library.
    unsafe {
        env::set_var("HCNCTL_STATE", &state);
        env::remove_var("HCNCTL_HOST");
        env::remove_var("HCNCTL_PROFILE");
    }
    // SAFETY: loading our own library runs no code of ours.
    let library = unsafe { Library::new(file()) }.expect("the library was built with its tests");
    Loaded {
        hcn: computenetwork::find(&library),
        v1: vmcompute::find(&library),
        state,
        _library: library,
    }
});

/// A folder for a store, which is not there yet.
pub fn fresh_state(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("hcn-dll-{}-{name}", process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

/// The built library: beside the tests of the same build.
pub fn file() -> PathBuf {
    let name = format!(
        "{}computenetwork{}",
        env::consts::DLL_PREFIX,
        env::consts::DLL_SUFFIX
    );
    let test = env::current_exe().unwrap();
    test.ancestors()
        .skip(1)
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file())
        .expect("the library was built with its tests")
}

impl Loaded {
    /// A call that gives a text.
    pub fn text(
        &self,
        call: impl FnOnce(&computenetwork::Functions, *mut PWSTR, *mut PWSTR) -> HRESULT,
    ) -> Result<String, Failure> {
        let (mut text, mut record) = (ptr::null_mut(), ptr::null_mut());
        let code = call(&self.hcn, &raw mut text, &raw mut record);
        // SAFETY: what the library gave, taken once.
        let (text, record) = unsafe { (take(text), take(record)) };
        if code >= 0 {
            assert_eq!(record, None, "the record after a success");
            Ok(text.expect("a success gives a text"))
        } else {
            assert_eq!(text, None, "the text after a failure");
            Err(Failure {
                code: code as u32,
                record,
            })
        }
    }

    /// A call that gives a handle.
    pub fn handle(
        &self,
        call: impl FnOnce(&computenetwork::Functions, *mut *mut c_void, *mut PWSTR) -> HRESULT,
    ) -> Result<*mut c_void, Failure> {
        let (mut handle, mut record) = (ptr::null_mut(), ptr::null_mut());
        let code = call(&self.hcn, &raw mut handle, &raw mut record);
        // SAFETY: what the library gave, taken once.
        let record = unsafe { take(record) };
        assert_eq!(code >= 0, !handle.is_null(), "a handle, or a failure");
        if code >= 0 {
            Ok(handle)
        } else {
            Err(Failure {
                code: code as u32,
                record,
            })
        }
    }

    /// A call that gives nothing.
    pub fn nothing(
        &self,
        call: impl FnOnce(&computenetwork::Functions, *mut PWSTR) -> HRESULT,
    ) -> Result<(), Failure> {
        let mut record = ptr::null_mut();
        let code = call(&self.hcn, &raw mut record);
        // SAFETY: what the library gave, taken once.
        let record = unsafe { take(record) };
        if code >= 0 {
            Ok(())
        } else {
            Err(Failure {
                code: code as u32,
                record,
            })
        }
    }

    /// A call of version 1.
    pub fn call(&self, method: &str, path: &str, request: &str) -> Result<String, Failure> {
        let (method, path, request) = (wide(method), wide(path), wide(request));
        let mut response = ptr::null_mut();
        // SAFETY: texts and output are local.
        let code = unsafe {
            (self.v1.HNSCall)(
                method.as_ptr(),
                path.as_ptr(),
                request.as_ptr(),
                &raw mut response,
            )
        };
        // SAFETY: what the library gave, taken once.
        let response = unsafe { take(response) };
        if code >= 0 {
            Ok(response.expect("a success gives a response"))
        } else {
            Err(Failure {
                code: code as u32,
                record: response,
            })
        }
    }
}

/// A text as the border takes it.
pub fn wide(text: &str) -> Vec<u16> {
    hcn_abi::text::encode(text).unwrap()
}

/// An id as the border takes it.
pub fn guid(number: u128) -> GUID {
    GUID::from_number(number)
}

/// Reads a text that the library gave, and frees it as the border says.
///
/// # Safety
/// NULL, or a text of the library that was not yet freed.
pub unsafe fn take(text: PWSTR) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the text ends with a NUL.
    let read = unsafe { read(text) };
    #[cfg(windows)]
    #[link(name = "ole32")]
    unsafe extern "system" {
        #[link_name = "CoTaskMemFree"]
        fn free(memory: *mut c_void);
    }
    #[cfg(not(windows))]
    unsafe extern "C" {
        fn free(memory: *mut c_void);
    }
    // SAFETY: given by the library, freed once.
    unsafe { free(text.cast()) };
    Some(read)
}

/// Reads a text.
///
/// # Safety
/// The text ends with a NUL.
pub unsafe fn read(text: PCWSTR) -> String {
    let mut length = 0;
    // SAFETY: up to the NUL.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: as counted.
    hcn_abi::text::decode(unsafe { std::slice::from_raw_parts(text, length) }).unwrap()
}

/// Deletes the stores of this process; for tests to call last.
pub fn remove(state: &Path) {
    let _ = fs::remove_dir_all(state);
}
