// SPDX-License-Identifier: MIT OR Apache-2.0
//! HRESULTs as HNS gives them.

mod table;

use std::fmt;

/// An HRESULT that says that something failed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HcnCode(pub u32);

impl HcnCode {
    /// Its name, e.g. `HCN_E_INVALID_POLICY`; `None` for a code that the table does not have.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|(_, name, _)| *name)
    }

    /// The system's message without the final period; `None` for a code that the table does not have.
    pub fn message(self) -> Option<&'static str> {
        self.row().map(|(_, _, message)| *message)
    }

    /// The code with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        table::TABLE
            .iter()
            .find(|(_, own, _)| *own == name)
            .map(|(number, _, _)| HcnCode(*number))
    }

    /// Whether the code says that an object does not exist.
    pub fn is_not_found(self) -> bool {
        matches!(
            self,
            HcnCode::HCN_E_NETWORK_NOT_FOUND
                | HcnCode::HCN_E_ENDPOINT_NOT_FOUND
                | HcnCode::ERROR_NOT_FOUND
        )
    }

    /// Every code with a name.
    pub fn all() -> impl Iterator<Item = HcnCode> {
        table::TABLE.iter().map(|(number, _, _)| HcnCode(*number))
    }

    fn row(self) -> Option<&'static table::Row> {
        table::TABLE.iter().find(|(number, _, _)| *number == self.0)
    }
}

impl fmt::Display for HcnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:08x})", self.0),
            None => write!(f, "0x{:08x}", self.0),
        }
    }
}

impl fmt::Debug for HcnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_is_the_published_one() {
        let Some(corpus) = testkit::corpus_or_skip("the_table_is_the_published_one") else {
            return;
        };
        let published =
            std::fs::read_to_string(corpus.join("errors/01-hcn-hresult-table.txt")).unwrap();
        let mut rows = 0;
        for line in published.lines() {
            let cells: Vec<&str> = line
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect();
            let [_, name, message, number, _] = cells[..] else {
                continue;
            };
            let Some(number) = number
                .strip_prefix("0x")
                .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            else {
                continue;
            };
            if number == 0 {
                continue;
            }
            rows += 1;
            assert_eq!(HcnCode(number).name(), Some(name));
            // One row of the published table lacks its first letter.
            assert!(
                HcnCode(number).message().unwrap().ends_with(message),
                "{name}"
            );
        }
        assert_eq!(rows, 0x37, "0x803b0001 to 0x803b0037");
    }

    #[test]
    fn no_number_and_no_name_stands_twice() {
        assert_eq!(
            HcnCode::all().collect::<HashSet<_>>().len(),
            table::TABLE.len()
        );
        assert_eq!(
            table::TABLE
                .iter()
                .map(|row| row.1)
                .collect::<HashSet<_>>()
                .len(),
            table::TABLE.len()
        );
    }

    #[test]
    fn a_code_is_shown_by_name_and_number() {
        assert_eq!(
            HcnCode::HCN_E_INVALID_POLICY.to_string(),
            "HCN_E_INVALID_POLICY (0x803b000d)"
        );
        assert_eq!(HcnCode(0x8000_1234).to_string(), "0x80001234");
    }
}
