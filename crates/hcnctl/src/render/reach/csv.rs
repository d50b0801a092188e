// SPDX-License-Identifier: MIT OR Apache-2.0
//! `reach -o csv`: a line for every pair of addresses, as RFC 4180 has it.
//!
//! Apart because nothing is merged or shortened; the last column is exact. An address beyond the ports is an empty field.

use std::{
    borrow::Cow,
    io::{self, Write},
    net::IpAddr,
};

use crate::reach::{
    Matrix,
    compare::{Comparison, family_word},
};

/// Who reaches whom.
///
/// # Errors
/// Those of `out`.
pub fn csv(matrix: &mut Matrix, mut out: &mut dyn Write) -> io::Result<()> {
    line(
        &mut out,
        &[
            "from",
            "to",
            "family",
            "source",
            "destination",
            "with",
            "to some backends",
        ],
    )?;
    for from in matrix.from.clone() {
        for pair in matrix.row(from) {
            for reaching in &pair.reaching {
                let words = matrix.words(reaching);
                let partly = matrix.partly_words(reaching);
                let label = |place: usize| matrix.participants[place].label.as_str();
                line(
                    &mut out,
                    &[
                        label(from),
                        label(pair.to),
                        family_word(reaching.family),
                        &address(reaching.source),
                        &address(reaching.destination),
                        &words,
                        partly.as_deref().unwrap_or("nothing"),
                    ],
                )?;
            }
        }
    }
    Ok(())
}

/// What changed.
///
/// # Errors
/// Those of `out`.
pub fn compared_csv(comparison: &Comparison, mut out: &mut dyn Write) -> io::Result<()> {
    line(
        &mut out,
        &[
            "from",
            "to",
            "family",
            "source",
            "destination",
            "opened",
            "closed",
            "opened to some backends",
            "closed to all backends",
        ],
    )?;
    for change in &comparison.changes {
        line(
            &mut out,
            &[
                &change.from,
                &change.to,
                family_word(change.at.family),
                &address(change.at.source),
                &address(change.at.destination),
                &change.opened_words,
                &change.closed_words,
                change.partly_opened_words.as_deref().unwrap_or("nothing"),
                change.partly_closed_words.as_deref().unwrap_or("nothing"),
            ],
        )?;
    }
    Ok(())
}

fn address(address: Option<IpAddr>) -> String {
    address.map_or_else(String::new, |address| address.to_string())
}

fn line(out: &mut impl Write, fields: &[&str]) -> io::Result<()> {
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        out.write_all(quoted(field).as_bytes())?;
    }
    out.write_all(b"\n")
}

/// A field, in quotes where it needs them.
fn quoted(field: &str) -> Cow<'_, str> {
    match field.contains(['"', ',', '\n', '\r']) {
        true => Cow::Owned(format!("\"{}\"", field.replace('"', "\"\""))),
        false => Cow::Borrowed(field),
    }
}
