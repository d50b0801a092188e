// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who reaches whom, as text: one module a form.
//!
//! Apart from the other pages because a matrix is written row by row: a thousand endpoints are a million pairs. Names reach a terminal
//! only through [`shown`](super::shown), and the other forms escaped by their own rules.

mod csv;
mod html;
mod json;
mod svg;
mod table;

pub use csv::{compared_csv, csv};
pub use html::html;
pub use json::{compared_json, json};
pub use svg::svg;
pub use table::{compared_table, table};

use crate::reach::Extension;

/// What a matrix is of, for headings and for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// `now`, `@12`, a file.
    pub of: String,
    /// Version of HNS whose rules were read.
    pub hns: String,
}

impl Extension {
    /// Its class in pages and pictures.
    fn class(self) -> &'static str {
        match self {
            Extension::Nothing => "none",
            Extension::SomeBackends => "some",
            Extension::Part => "part",
            Extension::Everything => "all",
        }
    }
}

/// A text as XML and HTML take it; control characters are shown as what they are.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for character in super::shown(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests;
