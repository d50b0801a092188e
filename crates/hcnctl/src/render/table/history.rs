// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of `history`.

use super::{Columns, cut, lay_out};
use crate::render::shown;

/// One operation that the service acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number in the log; the moment after it is `@` and this number.
    pub number: u64,
    /// When, as the caller writes times.
    pub time: String,
    /// What was done, e.g. `create`.
    pub operation: String,
    /// Kind of the object, e.g. `endpoint`.
    pub kind: String,
    /// Id of the object, whole.
    pub id: String,
    /// Name of the object.
    pub name: String,
    /// Who asked, e.g. the command.
    pub actor: String,
    /// What was asked; `wide` only.
    pub request: String,
}

/// Characters of a command in `table`.
const LONGEST_ACTOR: usize = 80;

/// The table of operations.
pub fn history(rows: &[HistoryRow], columns: Columns) -> String {
    let mut header = vec!["MOMENT", "TIME", "OPERATION", "KIND", "ID", "NAME", "BY"];
    if columns.is_wide() {
        header.push("REQUEST");
    }
    lay_out(
        &header,
        rows.iter().map(|row| {
            let mut cells = vec![
                format!("@{}", row.number),
                columns.text(&row.time),
                columns.text(&row.operation),
                columns.text(&row.kind),
                columns.id(&row.id),
                columns.text(&row.name),
                // The last column of a table pushes no other away, so a command may be longer than a name.
                if columns.is_wide() {
                    columns.text(&row.actor)
                } else {
                    cut(shown(&row.actor).into_owned(), LONGEST_ACTOR)
                },
            ];
            if columns.is_wide() {
                cells.push(columns.text(&row.request));
            }
            cells
        }),
    )
}
