// SPDX-License-Identifier: MIT OR Apache-2.0
//! `-o yaml`.
//!
//! Apart because quoting is the whole difficulty (`"no"`, `"80"`, MAC addresses with colons), and a crate that knows both YAML 1.1 and
//! 1.2 does it. One object alone is a mapping, a list is a sequence.

use serde_json::Value;

/// The value as a YAML document.
///
/// # Errors
/// Where the writer refuses; a [`Value`] gives it no reason to.
pub fn document(value: &Value) -> Result<String, serde_saphyr::SerializeError> {
    serde_saphyr::to_string(value)
}

#[cfg(test)]
mod tests;
