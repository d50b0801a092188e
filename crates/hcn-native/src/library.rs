// SPDX-License-Identifier: MIT OR Apache-2.0
//! The functions of a library, by name.
//!
//! The table is the border's own, so that no signature is written twice.

use std::path::{Path, PathBuf};

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
            /// Looks up each.
            fn take(&mut self, library: &Library) {
                $(
                    // SAFETY: a function of this name has the signature that the border gives it, in every library that exports it; a
                    // pointer to it is used only while the library is loaded, since `Loaded` owns both.
                    if let Ok(symbol) = unsafe { library.get::<unsafe extern "system" fn($($type),*) -> $result>(concat!(stringify!($name), "\0")) } {
                        self.$name = Some(*symbol);
                    }
                )*
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

impl Loaded {
    /// The functions of a library by its path, or of the system's HNS.
    pub fn open(path: Option<&Path>) -> Answer<Loaded> {
        let names: Vec<PathBuf> = match path {
            Some(path) => vec![path.to_owned()],
            None => vec!["computenetwork.dll".into(), "vmcompute.dll".into()],
        };
        let mut loaded = Loaded {
            functions: Functions::default(),
            name: names[0].display().to_string(),
            _libraries: Vec::new(),
        };
        for name in &names {
            match load(name, path.is_none()) {
                Ok(library) => {
                    loaded.functions.take(&library);
                    loaded._libraries.push(library);
                }
                // Only version 1 is missing without the second.
                Err(_) if !loaded._libraries.is_empty() => {}
                Err(error) => {
                    return Err(HnsError::because(
                        HcnCode::RPC_S_SERVER_UNAVAILABLE,
                        format!(
                            "HNS is not installed here: {} cannot be loaded: {error}",
                            name.display()
                        ),
                    ));
                }
            }
        }
        Ok(loaded)
    }

    /// A function that is needed, or why it is not there.
    pub fn need<F>(&self, function: Option<F>, name: &str) -> Answer<F> {
        function.ok_or_else(|| {
            HnsError::because(
                HcnCode::E_NOTIMPL,
                format!(
                    "{} has no {name}: this HNS is older than that, or is not installed",
                    self.name
                ),
            )
        })
    }
}

#[cfg(windows)]
fn load(name: &Path, from_system: bool) -> Result<Library, libloading::Error> {
    use libloading::os::windows::{LOAD_LIBRARY_SEARCH_SYSTEM32, Library as Own};
    if from_system {
        // SAFETY: the code that runs on loading is the system's own: the name is searched for in system32 alone.
        return unsafe { Own::load_with_flags(name, LOAD_LIBRARY_SEARCH_SYSTEM32) }
            .map(Library::from);
    }
    // SAFETY: whoever names a library by its path wants its code to run.
    unsafe { Library::new(name) }
}

#[cfg(not(windows))]
fn load(name: &Path, _: bool) -> Result<Library, libloading::Error> {
    // SAFETY: whoever names a library by its path wants its code to run; the names of the system's DLLs lead to nothing here.
    unsafe { Library::new(name) }
}
