// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one wrapper around every function: error record, panics.
//!
//! Whatever happens inside, the caller gets a code, and nothing unwinds into code that is not Rust.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hcn_abi::types::{HRESULT, PWSTR, hresult::S_OK};
use hcn_api::{Answer, HcnCode, HnsError};

use crate::{memory, received::Received};

/// Answers a function that has no error record.
pub(crate) fn answer(body: impl FnOnce() -> Answer<()>) -> HRESULT {
    match run(body) {
        Ok(()) => S_OK,
        Err(error) => number(error.code),
    }
}

/// Answers a function that has one: NULL after a success, the record of the code after a failure.
///
/// The record is the caller's own where it is not wanted, as NULL.
pub(crate) fn answer_with_record(
    record: Received<*mut PWSTR>,
    body: impl FnOnce() -> Answer<()>,
) -> HRESULT {
    answer_with(record, HnsError::record, body)
}

/// Answers a function of HCS: its result is what its record would be, in HCS's own shape.
pub(crate) fn answer_with_result(
    result: Received<*mut PWSTR>,
    body: impl FnOnce() -> Answer<()>,
) -> HRESULT {
    answer_with(result, result_of, body)
}

fn answer_with(
    record: Received<*mut PWSTR>,
    words: impl FnOnce(&HnsError) -> String,
    body: impl FnOnce() -> Answer<()>,
) -> HRESULT {
    // At once, since clients take whatever stands there after a success for a failure (hns-behaviour 1.1).
    if let Ok(record) = record.output() {
        record.put(std::ptr::null_mut());
    }
    let Err(error) = run(body) else { return S_OK };
    // What fails to be put into words is still told by its code.
    if let Ok(record) = record.output()
        && let Ok(text) = run(|| memory::give_text(&words(&error)))
    {
        record.put(text);
    }
    number(error.code)
}

/// `{"Error": number, "ErrorMessage": text}`, as hcsshim reads it; the number is a signed one there.
fn result_of(error: &HnsError) -> String {
    let message = error
        .detail
        .as_deref()
        .or(error.code.message())
        .unwrap_or_default();
    serde_json::json!({"Error": number(error.code), "ErrorMessage": message}).to_string()
}

fn run<T>(body: impl FnOnce() -> Answer<T>) -> Answer<T> {
    // Unwind safe: what a panic may leave half done is behind locks, whose users put up with it.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        Err(HnsError::because(
            HcnCode::E_UNEXPECTED,
            "the library panicked",
        ))
    })
}

fn number(code: HcnCode) -> HRESULT {
    code.0 as HRESULT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_code_with_its_record() {
        let mut record: PWSTR = std::ptr::dangling_mut();
        // SAFETY: a local variable.
        let output = unsafe { Received::new(&raw mut record) };
        let result = answer_with_record(output, || panic!("on purpose"));
        assert_eq!(result as u32, 0x8000_ffff);
        // SAFETY: the wrapper put a text there.
        let text = unsafe { Received::new(record.cast_const()) };
        assert_eq!(
            text.text(HcnCode::E_FAIL).unwrap(),
            r#"{"Success":false,"Error":"Catastrophic failure. ","ErrorCode":2147549183}"#
        );
        // SAFETY: given by this crate, once.
        unsafe { memory::take_list(record) };
    }

    #[test]
    fn a_panic_over_the_record_leaves_the_code_without_one() {
        let mut record: PWSTR = std::ptr::dangling_mut();
        // SAFETY: a local variable.
        let output = unsafe { Received::new(&raw mut record) };
        let failed = || Err(HnsError::new(HcnCode::E_NOTIMPL));
        let result = answer_with(output, |_| panic!("on purpose"), failed);
        assert_eq!(result as u32, 0x8000_4001);
        assert!(record.is_null());
    }

    #[test]
    fn a_success_leaves_no_record() {
        let mut record: PWSTR = std::ptr::dangling_mut();
        // SAFETY: a local variable.
        let output = unsafe { Received::new(&raw mut record) };
        assert_eq!(answer_with_record(output, || Ok(())), S_OK);
        assert!(record.is_null());
    }

    #[test]
    fn a_record_may_be_declined() {
        // SAFETY: NULL is allowed.
        let declined = unsafe { Received::new(std::ptr::null_mut()) };
        let failed = || Err(HnsError::new(HcnCode::E_NOTIMPL));
        assert_eq!(answer_with_record(declined, failed) as u32, 0x8000_4001);
    }
}
