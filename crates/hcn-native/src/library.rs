// SPDX-License-Identifier: MIT OR Apache-2.0
//! The functions of a library, by name.
//!
//! The table is the border's own, so that no signature is written twice.

use std::{error::Error, path::Path};

use hcn_abi::types::*;
use hcn_api::{Answer, HcnCode, HnsError};
use libloading::Library;

macro_rules! functions {
    ($( [$($ordinal:literal)?] $name:ident($($parameter:ident: $type:ty),*) -> $result:ty; )*) => {
        /// The functions; those that the library does not have are absent.
        #[allow(non_snake_case, reason = "the names are those that they are exported under")]
        #[derive(Default)]
        pub(crate) struct Functions {
            $(pub $name: Option<unsafe extern "system" fn($($parameter: $type),*) -> $result>,)*
        }

        impl Functions {
            /// Looks up each that is not there yet.
            fn take(&mut self, library: &Library) {
                $(
                    // SAFETY: a function of this name has the signature that the border gives it, in every library that exports it; a
                    // pointer to it is used only while the library is loaded, since `Loaded` owns both.
                    let found = unsafe { library.get::<unsafe extern "system" fn($($type),*) -> $result>(concat!(stringify!($name), "\0")) };
                    self.$name = self.$name.or(found.ok().map(|symbol| *symbol));
                )*
            }

            /// Whether there is none at all.
            fn is_empty(&self) -> bool {
                true $(&& self.$name.is_none())*
            }
        }
    };
}

/// Both libraries' functions in one table.
macro_rules! both {
    ($( [$($ordinal:literal)?] $name:ident($($parameter:ident: $type:ty),*) -> $result:ty; )*) => {
        functions! {
            $( [$($ordinal)?] $name($($parameter: $type),*) -> $result; )*
            [] HNSCall(method: PCWSTR, path: PCWSTR, request: PCWSTR, response: *mut PWSTR) -> HRESULT;
        }
    };
}

hcn_abi::computenetwork_exports!(both);

/// A loaded library with its functions.
pub(crate) struct Loaded {
    pub functions: Functions,
    name: String,
    /// Unloaded last, when no function of it can be called any more.
    _libraries: Vec<Library>,
}

/// Exports version 2.
const COMPUTENETWORK: &str = "computenetwork.dll";
/// Exports version 1, on Windows: our own library exports both.
const VMCOMPUTE: &str = "vmcompute.dll";

impl Loaded {
    /// The functions of a library by its path or name, or of the system's HNS.
    pub fn open(path: Option<&Path>) -> Answer<Loaded> {
        let first = path.unwrap_or(Path::new(COMPUTENETWORK));
        let name = first.display().to_string();
        let absent = |why: String| {
            HnsError::because(
                HcnCode::RPC_S_SERVER_UNAVAILABLE,
                format!("HNS is not installed here: {name} {why}"),
            )
        };
        let library =
            load(first).map_err(|error| absent(format!("cannot be loaded: {}", whole(&error))))?;
        let mut functions = Functions::default();
        functions.take(&library);
        let mut libraries = vec![library];
        if functions.is_empty() {
            return Err(absent("exports none of its functions".to_owned()));
        }
        if functions.HNSCall.is_none() {
            // Only version 1 is missing without it.
            if let Ok(second) = load(&first.with_file_name(VMCOMPUTE)) {
                functions.take(&second);
                libraries.push(second);
            }
        }
        Ok(Loaded {
            functions,
            name,
            _libraries: libraries,
        })
    }

    /// A function that is needed, or why it is not there.
    pub fn need<F>(&self, function: Option<F>, name: &str) -> Answer<F> {
        function.ok_or_else(|| {
            HnsError::because(
                HcnCode::E_NOTIMPL,
                format!(
                    "{} does not export {name}: this HNS is older than that function",
                    self.name
                ),
            )
        })
    }
}

/// The loader's error with what caused it: the first alone does not say which file is missing.
fn whole(error: &libloading::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// A name without a folder is searched for in system32 alone, so that a file of that name beside the program or in the current folder is not
/// taken for HNS; a path is taken as it is.
#[cfg(windows)]
fn load(path: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::windows::{LOAD_LIBRARY_SEARCH_SYSTEM32, Library as Own};
    if path.parent() == Some(Path::new("")) {
        // SAFETY: the code that runs on loading is the system's own.
        return unsafe { Own::load_with_flags(path, LOAD_LIBRARY_SEARCH_SYSTEM32) }
            .map(Library::from);
    }
    // SAFETY: whoever names a library by its path wants its code to run.
    unsafe { Library::new(path) }
}

/// A name without a folder is searched for where the system keeps libraries; a path is taken as it is.
#[cfg(not(windows))]
fn load(path: &Path) -> Result<Library, libloading::Error> {
    // SAFETY: whoever names a library wants its code to run; the names of the system's DLLs lead to nothing here.
    unsafe { Library::new(path) }
}
