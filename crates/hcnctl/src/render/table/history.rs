// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of `history`.

use super::{Columns, lay_out};

/// One operation that the service acknowledged or refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number in the log.
    pub number: u64,
    /// When, as the caller writes times.
    pub time: String,
    /// What was done, e.g. `create`.
    pub operation: String,
    /// Kind of the object, e.g. `endpoint`.
    pub kind: String,
    /// Id of the object, whole.
    pub id: String,
    /// What came of it, e.g. `done`.
    pub outcome: String,
    /// The request or whatever else there is to say; `wide` only.
    pub detail: String,
}

/// The table of operations.
pub fn history(rows: &[HistoryRow], columns: Columns) -> String {
    let mut header = vec!["#", "TIME", "OPERATION", "KIND", "ID", "OUTCOME"];
    if columns.is_wide() {
        header.push("DETAIL");
    }
    lay_out(
        &header,
        rows.iter().map(|row| {
            let mut cells = vec![
                row.number.to_string(),
                columns.text(&row.time),
                columns.text(&row.operation),
                columns.text(&row.kind),
                columns.id(&row.id),
                columns.text(&row.outcome),
            ];
            if columns.is_wide() {
                cells.push(columns.text(&row.detail));
            }
            cells
        }),
    )
}
