// SPDX-License-Identifier: MIT OR Apache-2.0
//! Network compartments: each namespace of a Windows host has one, and every thread looks at the network from inside one.
//!
//! Apart from HNS, which numbers them: entering one is a call of `iphlpapi.dll` (hns-behaviour 1.8), found at run time because Wine 8
//! does not have it. Invariant: no thread of a caller changes its place, since the work is done on a thread of its own, which leaves before
//! it ends.

use std::{panic::resume_unwind, thread};

use hcn_api::{Answer, HcnCode, HnsError};

/// The host's own.
pub const HOST: u32 = 1;

/// Does some work with the network as it is seen from inside a compartment.
///
/// # Errors
/// `E_NOTIMPL` where the system has no compartments, `ERROR_NOT_FOUND` where it has not that one, `E_ACCESSDENIED` for somebody who is no
/// administrator.
pub fn inside<T: Send>(compartment: u32, work: impl FnOnce() -> T + Send) -> Answer<T> {
    let system = system()?;
    thread::scope(|scope| {
        scope
            .spawn(|| {
                let _place = Place::enter(&system, compartment)?;
                Ok(work())
            })
            .join()
            .unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// The two functions, where the system has them.
struct Functions {
    set: unsafe extern "system" fn(compartment: u32) -> u32,
    current: unsafe extern "system" fn() -> u32,
}

/// What a system can do.
struct System {
    /// Absent on one whose every thread is the host's.
    functions: Option<Functions>,
    /// Unloaded last.
    _library: Option<libloading::Library>,
}

#[cfg(windows)]
fn system() -> Answer<System> {
    use libloading::os::windows::{LOAD_LIBRARY_SEARCH_SYSTEM32, Library};
    // SAFETY: the code that runs on loading is the system's own: the name is searched for in system32 alone.
    let library =
        unsafe { Library::load_with_flags("iphlpapi.dll", LOAD_LIBRARY_SEARCH_SYSTEM32) }.ok();
    let functions = library.as_ref().and_then(|library| {
        // SAFETY: the functions have these signatures in every iphlpapi.dll that exports them, and are used only while `System` keeps
        // the library loaded.
        unsafe {
            Some(Functions {
                set: *library.get(b"SetCurrentThreadCompartmentId\0").ok()?,
                current: *library.get(b"GetCurrentThreadCompartmentId\0").ok()?,
            })
        }
    });
    Ok(System {
        functions,
        _library: library.map(libloading::Library::from),
    })
}

#[cfg(not(windows))]
fn system() -> Answer<System> {
    Err(HnsError::because(
        HcnCode::E_NOTIMPL,
        "this is not Windows, which alone has the compartments of containers; packets can be simulated here",
    ))
}

/// A thread's stay in a compartment.
struct Place<'a> {
    system: &'a System,
    /// Where it came from; `None` where it did not move.
    before: Option<u32>,
}

impl<'a> Place<'a> {
    fn enter(system: &'a System, compartment: u32) -> Answer<Place<'a>> {
        let stay = |before| Place { system, before };
        let Some(functions) = &system.functions else {
            if compartment == HOST {
                return Ok(stay(None));
            }
            return Err(HnsError::because(
                HcnCode::E_NOTIMPL,
                format!(
                    "iphlpapi.dll has no SetCurrentThreadCompartmentId here, so nothing can be sent from inside compartment {compartment}"
                ),
            ));
        };
        // SAFETY: the function takes nothing and only reads the thread's own state.
        let before = unsafe { (functions.current)() };
        if before == compartment {
            return Ok(stay(None));
        }
        // SAFETY: the function takes a number and changes the thread's own state alone.
        match unsafe { (functions.set)(compartment) } {
            0 => Ok(stay(Some(before))),
            status => Err(failure(compartment, status)),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let (Some(functions), Some(before)) = (&self.system.functions, self.before) {
            // SAFETY: as in `enter`. Where it fails nothing is lost: the thread is ours and ends.
            unsafe { (functions.set)(before) };
        }
    }
}

/// A status of Windows, be it a Win32 number or an HRESULT, as a failure.
fn failure(compartment: u32, status: u32) -> HnsError {
    let code = HcnCode(if status >> 31 == 1 {
        status
    } else {
        0x8007_0000 | status & 0xffff
    });
    let why = match code {
        HcnCode::ERROR_NOT_FOUND => "there is none of that number; it goes with its last container",
        HcnCode::E_ACCESSDENIED => "only an administrator may enter it",
        _ => "Windows does not let this thread in",
    };
    HnsError::because(code, format!("compartment {compartment}: {why}"))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    thread_local! {
        static CURRENT: Cell<u32> = const { Cell::new(HOST) };
        static WAY: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    }

    unsafe extern "system" fn set(compartment: u32) -> u32 {
        match compartment {
            // ERROR_NOT_FOUND and ERROR_ACCESS_DENIED of winerror.h, and E_INVALIDARG.
            404 => 1168,
            5 => 5,
            87 => 0x8007_0057,
            _ => {
                CURRENT.set(compartment);
                WAY.with_borrow_mut(|way| way.push(compartment));
                0
            }
        }
    }

    unsafe extern "system" fn current() -> u32 {
        CURRENT.get()
    }

    fn fake() -> System {
        System {
            functions: Some(Functions { set, current }),
            _library: None,
        }
    }

    #[test]
    fn a_thread_enters_and_comes_back_whence_it_came() {
        let system = fake();
        let place = Place::enter(&system, 7).unwrap();
        assert_eq!(CURRENT.get(), 7);
        drop(place);
        assert_eq!(CURRENT.get(), HOST);
        // Where it is already, nothing is asked of the system.
        drop(Place::enter(&system, HOST).unwrap());
        assert_eq!(WAY.take(), [7, HOST]);
    }

    #[test]
    fn a_compartment_that_cannot_be_entered_is_told_in_words() {
        let system = fake();
        for (compartment, code, words) in [
            (404, HcnCode::ERROR_NOT_FOUND, "none of that number"),
            (5, HcnCode::E_ACCESSDENIED, "administrator"),
            (87, HcnCode::E_INVALIDARG, "does not let"),
        ] {
            let error = Place::enter(&system, compartment).err().unwrap();
            assert_eq!(error.code, code);
            assert!(error.to_string().contains(words), "{error}");
        }
        assert_eq!((CURRENT.get(), WAY.take()), (HOST, Vec::new()));
    }

    #[test]
    fn where_windows_cannot_enter_compartments_there_is_the_hosts_alone() {
        let system = System {
            functions: None,
            _library: None,
        };
        assert!(Place::enter(&system, HOST).is_ok());
        let error = Place::enter(&system, 2).err().unwrap();
        assert_eq!(error.code, HcnCode::E_NOTIMPL);
        assert!(error.to_string().contains("compartment 2"), "{error}");
    }

    #[test]
    fn work_is_done_in_the_hosts_own_compartment_on_windows_and_refused_in_words_elsewhere() {
        let caller = thread::current().id();
        let done = inside(HOST, || thread::current().id());
        if cfg!(windows) {
            assert_ne!(done.unwrap(), caller);
        } else {
            let error = done.unwrap_err();
            assert_eq!(error.code, HcnCode::E_NOTIMPL);
            assert!(error.to_string().contains("not Windows"), "{error}");
        }
    }
}
