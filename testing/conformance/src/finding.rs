// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a case finds: what it promises, something else, or that it cannot be tried here.
//!
//! Apart because it is what reports are made of. Values are shown as JSON, since that is what HNS speaks.

use std::fmt;

use hcn_api::{Answer, HcnCode, Notification};
use hcn_schema::Guid;
use serde_json::Value;

/// What is asked for, or why it is not there.
pub type Finding<T = ()> = Result<T, Amiss>;

/// Why a case does not end as it promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amiss {
    /// The HNS behaves otherwise.
    Differs(Difference),
    /// The host cannot do what the case needs.
    Impossible(String),
}

/// Something that is otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What was looked at.
    pub what: String,
    /// What the record says; empty where `what` says it all.
    pub expected: String,
    /// What was found.
    pub got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.expected.as_str(), self.got.as_str()) {
            ("", "") => f.write_str(&self.what),
            (expected, got) => write!(f, "{}: {got}, not {expected}", self.what),
        }
    }
}

impl From<String> for Amiss {
    fn from(what: String) -> Amiss {
        Amiss::Differs(Difference {
            what,
            ..Difference::default()
        })
    }
}

/// A value in words of a report.
pub trait Shown {
    /// The words.
    fn shown(&self) -> String;
}

macro_rules! shown_as_written {
    ($($kind:ty),*) => { $(impl Shown for $kind { fn shown(&self) -> String { self.to_string() } })* };
}
shown_as_written!(u16, u32, u64, usize, bool, Guid, Value);

impl Shown for str {
    fn shown(&self) -> String {
        format!("{self:?}")
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        self.as_str().shown()
    }
}

impl Shown for Notification {
    fn shown(&self) -> String {
        format!("{self:?}")
    }
}

impl<T: Shown + ?Sized> Shown for &T {
    fn shown(&self) -> String {
        (**self).shown()
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> String {
        let items: Vec<String> = self.iter().map(Shown::shown).collect();
        format!("[{}]", items.join(", "))
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map_or("nothing".to_owned(), Shown::shown)
    }
}

impl Shown for () {
    fn shown(&self) -> String {
        "success".to_owned()
    }
}

fn differs<T>(what: &str, expected: String, got: String) -> Finding<T> {
    Err(Amiss::Differs(Difference {
        what: what.to_owned(),
        expected,
        got,
    }))
}

/// Two values are alike, or a finding.
pub fn equal<T: PartialEq + Shown>(what: &str, got: T, wanted: T) -> Finding {
    if got == wanted {
        return Ok(());
    }
    differs(what, wanted.shown(), got.shown())
}

/// Something holds, or a finding.
pub fn holds(what: &str, holds: bool) -> Finding {
    if holds {
        return Ok(());
    }
    Err(format!("it does not hold that {what}").into())
}

/// A call fails with a code, or a finding.
pub fn fails<T: Shown>(what: &str, answer: Answer<T>, code: HcnCode) -> Finding {
    match answer {
        Err(error) if error.code == code => Ok(()),
        Err(error) => differs(what, code.to_string(), error.to_string()),
        Ok(value) => differs(what, code.to_string(), value.shown()),
    }
}

/// A call succeeds, or a finding.
pub fn works<T>(what: &str, answer: Answer<T>) -> Finding<T> {
    match answer {
        Ok(value) => Ok(value),
        Err(error) => differs(what, "success".to_owned(), error.to_string()),
    }
}

/// An object has these members, whatever else it has, or a finding.
pub fn has(what: &str, got: &Value, wanted: &Value) -> Finding {
    for (key, value) in wanted.as_object().into_iter().flatten() {
        equal(&format!("{what}.{key}"), &got[key], value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_tells_both_sides_as_json() {
        let Err(Amiss::Differs(found)) = equal("Flags", &json!({"a": 1}), &json!([2])) else {
            panic!("they are not alike")
        };
        assert_eq!(found.to_string(), r#"Flags: {"a":1}, not [2]"#);
        let Err(Amiss::Differs(found)) = has("a", &json!({"b": 1, "c": 2}), &json!({"b": "x"}))
        else {
            panic!("b is another")
        };
        assert_eq!(found.to_string(), r#"a.b: 1, not "x""#);
    }

    #[test]
    fn members_that_nobody_asks_for_do_not_matter() {
        assert_eq!(has("a", &json!({"b": 1, "c": 2}), &json!({"b": 1})), Ok(()));
    }

    #[test]
    fn a_success_where_a_failure_is_promised_is_a_finding() {
        let code = HcnCode::HCN_E_INVALID_JSON;
        assert!(fails("create", Ok(()), code).is_err());
        let error = hcn_api::HnsError::because(code, "it is none");
        assert_eq!(fails::<()>("create", Err(error), code), Ok(()));
    }
}
