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

    /// The record in the repository: `| 0x803b0001 | HCN_E_NETWORK_NOT_FOUND | …` in section 3.1, where one row stands for eight codes.
    #[test]
    fn every_row_of_the_record_has_its_number_here() {
        let path = testkit::repository().join("docs/hns-behaviour.md");
        let record = std::fs::read_to_string(path).unwrap();
        let mut rows = HashSet::new();
        for line in record.lines() {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let (Some(number), Some(name)) = (cells.next(), cells.next()) else {
                continue;
            };
            let Some(number) = number
                .strip_prefix("0x803b")
                .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            else {
                continue;
            };
            assert_eq!(HcnCode(0x803b_0000 | number).name(), Some(name));
            rows.insert(number);
        }
        let alone: HashSet<u32> = (1..=0x37)
            .filter(|number| !(0x21..=0x28).contains(number))
            .collect();
        assert_eq!(rows, alone);
    }

    /// mingw-w64's header is written by others, from Microsoft's: the codes that are not HNS's own.
    #[test]
    fn the_codes_of_windows_are_those_of_its_header() {
        const HEADER: &str = "/usr/share/mingw-w64/include/winerror.h";
        let Ok(header) = std::fs::read_to_string(HEADER) else {
            testkit::skip(
                "the_codes_of_windows_are_those_of_its_header",
                "no winerror.h (install mingw-w64-common)",
            );
            return;
        };
        let of_header = |name: &str| -> Option<u32> {
            let value = header.lines().find_map(|line| {
                let mut words = line.strip_prefix("#define ")?.split_whitespace();
                (words.next()? == name).then(|| words.next())?
            })?;
            let inner = value.split_once('(')?.1.strip_suffix(')')?;
            match inner.strip_prefix("0x") {
                // An HRESULT stands there as it is.
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                // An error of Windows becomes one of the facility 7 (HRESULT_FROM_WIN32).
                None => Some(0x8007_0000 | inner.parse::<u32>().ok()?),
            }
        };
        let mut others = 0;
        for (number, name, _) in table::TABLE {
            if number >> 16 != 0x803b {
                others += 1;
                assert_eq!(of_header(name), Some(*number), "{name}");
            }
        }
        assert_eq!(others, table::TABLE.len() - 0x37);
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
