// SPDX-License-Identifier: MIT OR Apache-2.0
//! The answer of `HNSCall`.

use serde_json::Value;

use crate::document::document;

document! {
    /// What every call answers: `Output` on success, `Error` and `ErrorCode` on failure.
    pub struct Envelope {
        /// Whether the call did what was asked.
        success: bool = "Success",
        /// The system's message for the code.
        error: String = "Error",
        /// The HRESULT, unsigned.
        error_code: u32 = "ErrorCode",
        /// The object, or the list.
        output: Value = "Output",
    }
}
