// SPDX-License-Identifier: MIT OR Apache-2.0
//! `-o table` and `-o wide`: columns for people, as kubectl lays them out.
//!
//! One module a kind of row, each with a lay_out struct that says what a row holds, so that a caller can build rows from documents (by
//! the `of` functions) or from what it knows better. Invariant: one row is one line, whatever a name holds.

mod container;
mod endpoint;
mod history;
mod namespace;
mod network;
mod policy;
mod route;

pub use container::{ContainerRow, containers};
pub use endpoint::{EndpointRow, endpoints};
pub use history::{HistoryRow, history};
pub(crate) use namespace::type_words as namespace_type_words;
pub use namespace::{NamespaceRow, namespaces};
pub(crate) use network::type_words as network_type_words;
pub use network::{NetworkRow, networks};
pub use policy::{Owner, PolicyRow, policies};
pub(crate) use route::routes;

use comfy_table::{ContentArrangement, Table, presets};

use super::{short_id, shown};

/// Which columns to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// What fits on a terminal: ids and long texts are shortened.
    #[default]
    Table,
    /// All columns, and nothing shortened that a table can hold.
    Wide,
}

impl Columns {
    /// An id: eight characters, or all of it.
    fn id(self, id: &str) -> String {
        match self {
            Columns::Table => short_id(id),
            Columns::Wide => shown(id).into_owned(),
        }
    }

    /// A text of its author's choice, cut where it would push the other columns away (Docker names networks by 64 digits).
    fn text(self, text: &str) -> String {
        let text = shown(text).into_owned();
        match self {
            Columns::Table => cut(text, LONGEST_TEXT),
            Columns::Wide => text,
        }
    }

    fn is_wide(self) -> bool {
        self == Columns::Wide
    }
}

/// Characters of a name in `table`.
const LONGEST_TEXT: usize = 40;

/// Characters of any cell: comfy-table counts columns in 16 bits.
const LONGEST_CELL: usize = 32_000;

/// The text, with its end replaced by `…` where it is longer than so many characters.
fn cut(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest - 1) {
        Some((at, last)) if at + last.len_utf8() < text.len() => format!("{}…", &text[..at]),
        _ => text,
    }
}

/// Lays out rows under a header: two blanks between columns, no lines, no blanks at line ends. Empty cells show `-`, so that columns
/// stay countable for awk.
pub(crate) fn lay_out(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .force_no_tty()
        .set_header(header.to_vec());
    for row in rows {
        table.add_row(row.into_iter().map(|cell| {
            if cell.is_empty() {
                "-".to_owned()
            } else {
                cut(cell, LONGEST_CELL)
            }
        }));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Texts joined by commas.
fn joined<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&shown(item.as_ref()));
    }
    text
}

#[cfg(test)]
mod tests;
