// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an HNS answers when it cannot do what it was asked: the code, its record, and what we know beyond it.

use std::fmt;

use serde_json::Value;

use crate::HcnCode;

/// What an HNS answers: text, an id, or nothing; or an error.
pub type Answer<T> = Result<T, HnsError>;

/// A failure with its code and its record.
///
/// The record is what clients of the DLL see, byte for byte as HNS writes it. The detail is more than HNS ever says: which member is at
/// fault and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HnsError {
    /// The HRESULT.
    pub code: HcnCode,
    /// The error record as received; `None` where this is our own and [`HnsError::record`] makes it.
    received: Option<String>,
    /// Which member of which document, as a JSON pointer or a word, e.g. `/IpConfigurations/0/IpAddress`.
    pub field: Option<String>,
    /// What is wrong, in a sentence without the final period.
    pub detail: Option<String>,
}

impl HnsError {
    /// A failure of which no more is known.
    pub fn new(code: HcnCode) -> Self {
        HnsError {
            code,
            received: None,
            field: None,
            detail: None,
        }
    }

    /// A failure with its cause in a sentence.
    pub fn because(code: HcnCode, detail: impl Into<String>) -> Self {
        HnsError {
            detail: Some(detail.into()),
            ..HnsError::new(code)
        }
    }

    /// A failure that one member of a document caused.
    pub fn at(code: HcnCode, field: impl Into<String>, detail: impl Into<String>) -> Self {
        HnsError {
            field: Some(field.into()),
            ..HnsError::because(code, detail)
        }
    }

    /// A failure that another HNS told, with its record.
    pub fn received(code: HcnCode, record: impl Into<String>) -> Self {
        HnsError {
            received: Some(record.into()),
            ..HnsError::new(code)
        }
    }

    /// Whether another HNS told it.
    pub fn is_received(&self) -> bool {
        self.received.is_some()
    }

    /// The error record: one compact JSON object, with the blank that HNS leaves after the message (hns-behaviour 1.5).
    pub fn record(&self) -> String {
        if let Some(received) = &self.received {
            return received.clone();
        }
        let message = self
            .code
            .message()
            .map_or_else(String::new, |message| format!("{message}. "));
        format!(
            r#"{{"Success":false,"Error":{},"ErrorCode":{}}}"#,
            Value::from(message),
            self.code.0
        )
    }

    /// Puts the field below a prefix, an empty one at the prefix itself: `Priority` at `/Policies/0/Settings` becomes `/Policies/0/Settings/Priority`.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        if let Some(field) = &mut self.field {
            *field = if field.is_empty() || field.starts_with('/') {
                format!("{prefix}{field}")
            } else {
                format!("{prefix}/{field}")
            };
        }
        self
    }
}

impl fmt::Display for HnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        match (&self.field, &self.detail) {
            (Some(field), Some(detail)) => write!(f, ": {field}: {detail}"),
            (None, Some(detail)) => write!(f, ": {detail}"),
            _ => match self.code.message() {
                Some(message) => write!(f, ": {message}"),
                None => Ok(()),
            },
        }
    }
}

impl std::error::Error for HnsError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The record as logged in microsoft/hcsshim#1043.
    #[test]
    fn the_record_is_written_as_hns_writes_it() {
        let record =
            r#"{"Success":false,"Error":"The switch-port was not found. ","ErrorCode":2151350279}"#;
        assert_eq!(
            HnsError::new(HcnCode::HCN_E_PORT_NOT_FOUND).record(),
            record
        );
        assert_eq!(
            HnsError::at(HcnCode::HCN_E_PORT_NOT_FOUND, "x", "y").record(),
            record
        );
    }

    #[test]
    fn a_received_record_is_passed_on_untouched() {
        let record =
            r#"{"Error":"Adapter nicht gefunden. ","ErrorCode":2151350278,"Success":false}"#;
        assert_eq!(
            HnsError::received(HcnCode::HCN_E_ADAPTER_NOT_FOUND, record).record(),
            record
        );
    }

    #[test]
    fn the_words_name_code_field_and_cause() {
        let error = HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY,
            "Priority",
            "65501 is over 65500",
        )
        .below("/Policies/0/Settings");
        assert_eq!(
            error.to_string(),
            "HCN_E_INVALID_POLICY (0x803b000d): /Policies/0/Settings/Priority: 65501 is over 65500"
        );
        let whole = HnsError::at(HcnCode::HCN_E_INVALID_PREFIX, "", "no").below("/Prefix");
        assert_eq!(whole.field.as_deref(), Some("/Prefix"));
    }
}
