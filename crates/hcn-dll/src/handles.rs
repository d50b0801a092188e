// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of handles.
//!
//! A handle is a number that is never given twice: the place in the table, and how often the place was used. So a handle that was closed, or
//! was never given, is found out, whatever was opened since.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hcn_api::{Answer, HcnCode, HnsError};

/// Bits of a handle that say the place; the others say which use of it.
const PLACE_BITS: u32 = 24;
/// The last use of a place, after which it stays empty.
const LAST_USE: u64 = (1 << (64 - PLACE_BITS)) - 1;

/// What handles lead to.
pub(crate) struct Handles<T> {
    table: Mutex<Table<T>>,
}

struct Table<T> {
    places: Vec<Place<T>>,
    free: Vec<usize>,
}

struct Place<T> {
    /// Which use this is, from 1, so that no handle is NULL.
    usage: u64,
    value: Option<Arc<T>>,
}

impl<T> Handles<T> {
    /// A table without handles.
    pub fn new() -> Self {
        Handles {
            table: Mutex::new(Table {
                places: Vec::new(),
                free: Vec::new(),
            }),
        }
    }

    /// Gives a handle.
    ///
    /// # Errors
    /// `E_OUTOFMEMORY` where sixteen million are open.
    pub fn give(&self, value: T) -> Answer<u64> {
        let mut table = self.lock();
        let place = match table.free.pop() {
            Some(place) => place,
            None if table.places.len() >> PLACE_BITS == 0 => {
                table.places.push(Place {
                    usage: 1,
                    value: None,
                });
                table.places.len() - 1
            }
            None => {
                return Err(HnsError::because(
                    HcnCode::E_OUTOFMEMORY,
                    "no more handles can be open at once",
                ));
            }
        };
        let entry = &mut table.places[place];
        entry.value = Some(Arc::new(value));
        Ok(entry.usage << PLACE_BITS | place as u64)
    }

    /// What an open handle leads to.
    ///
    /// # Errors
    /// `E_HANDLE` where it is not open, or is not wanted.
    pub fn find(&self, handle: u64, wanted: impl Fn(&T) -> bool) -> Answer<Arc<T>> {
        let table = self.lock();
        let (place, usage) = parts(handle);
        table
            .places
            .get(place)
            .filter(|entry| entry.usage == usage)
            .and_then(|entry| entry.value.as_ref())
            .filter(|value| wanted(value))
            .cloned()
            .ok_or_else(not_a_handle)
    }

    /// Closes a handle, and tells what it led to.
    ///
    /// # Errors
    /// `E_HANDLE` where it is not open, or is not wanted; it stays open then.
    pub fn take(&self, handle: u64, wanted: impl Fn(&T) -> bool) -> Answer<Arc<T>> {
        let mut table = self.lock();
        let (place, usage) = parts(handle);
        let entry = table
            .places
            .get_mut(place)
            .filter(|entry| entry.usage == usage)
            .ok_or_else(not_a_handle)?;
        let value = entry
            .value
            .take_if(|value| wanted(value))
            .ok_or_else(not_a_handle)?;
        if entry.usage < LAST_USE {
            entry.usage += 1;
            table.free.push(place);
        }
        Ok(value)
    }

    fn lock(&self) -> MutexGuard<'_, Table<T>> {
        // Nothing under the lock panics half way but for want of memory, and then before anything was changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parts(handle: u64) -> (usize, u64) {
    (
        (handle & ((1 << PLACE_BITS) - 1)) as usize,
        handle >> PLACE_BITS,
    )
}

fn not_a_handle() -> HnsError {
    HnsError::because(
        HcnCode::E_HANDLE,
        "the handle is closed, or is one of another kind, or never was one",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(_: &u32) -> bool {
        true
    }

    #[test]
    fn a_closed_handle_stays_closed_when_its_place_is_used_again() {
        let handles = Handles::new();
        let first = handles.give(1).unwrap();
        assert_eq!(*handles.take(first, any).unwrap(), 1);
        let second = handles.give(2).unwrap();
        assert_ne!(first, second);
        assert_eq!(
            handles.find(first, any).unwrap_err().code,
            HcnCode::E_HANDLE
        );
        assert_eq!(
            handles.take(first, any).unwrap_err().code,
            HcnCode::E_HANDLE
        );
        assert_eq!(*handles.find(second, any).unwrap(), 2);
    }

    #[test]
    fn a_handle_of_another_kind_is_refused_and_stays_open() {
        let handles = Handles::new();
        let handle = handles.give(1).unwrap();
        assert_eq!(
            handles.take(handle, |value| *value == 2).unwrap_err().code,
            HcnCode::E_HANDLE
        );
        assert!(handles.take(handle, |value| *value == 1).is_ok());
    }

    #[test]
    fn numbers_that_were_never_given_are_refused() {
        let handles = Handles::new();
        let handle = handles.give(1).unwrap();
        for other in [0, 1, handle + 1, handle ^ 1 << 63, u64::MAX] {
            assert!(handles.find(other, any).is_err(), "{other:#x}");
        }
    }

    #[test]
    fn a_place_that_was_used_up_is_left_empty() {
        let handles = Handles::new();
        let first = handles.give(1).unwrap();
        handles.take(first, any).unwrap();
        handles.lock().places[0].usage = LAST_USE;
        let last = handles.give(2).unwrap();
        handles.take(last, any).unwrap();
        let next = handles.give(3).unwrap();
        assert_ne!(parts(next).0, parts(last).0);
    }
}
