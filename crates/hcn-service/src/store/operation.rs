// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operation log: every change, who made it, what was asked, and what the object was afterwards.
//!
//! The log alone tells what every object was at any moment, since each row has the document after the change.

use hcn_api::{Answer, Kind, ObjectId};
use rusqlite::params;

use super::{
    View, failed,
    object::{bytes, guid, kind, number},
};

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It was made.
    Create,
    /// It was changed.
    Modify,
    /// It was deleted.
    Delete,
}

impl Verb {
    /// The word in the log.
    pub fn text(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Modify => "modify",
            Verb::Delete => "delete",
        }
    }

    fn from_text(text: &str) -> Verb {
        match text {
            "create" => Verb::Create,
            "delete" => Verb::Delete,
            _ => Verb::Modify,
        }
    }
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its number; grows by time.
    pub number: u64,
    /// Milliseconds since 1970, UTC.
    pub time_ms: u64,
    /// Who asked, e.g. the command.
    pub actor: String,
    /// What was done.
    pub verb: Verb,
    /// To which object.
    pub object: ObjectId,
    /// Its name.
    pub name: String,
    /// What was asked, as it was sent.
    pub request: String,
    /// The v2 document afterwards; `None` once deleted.
    pub document: Option<String>,
}

/// What there was after an operation: each object with its document.
pub type Moment = Vec<(ObjectId, String)>;

/// A row to be written.
pub(crate) struct Entry<'a> {
    pub time_ms: u64,
    pub actor: &'a str,
    pub verb: Verb,
    pub object: ObjectId,
    pub name: &'a str,
    pub request: &'a str,
    pub document: Option<&'a str>,
}

impl View<'_> {
    /// Writes a row; tells its number.
    pub fn log(&self, entry: &Entry<'_>) -> Answer<u64> {
        self.transaction
            .prepare_cached(
                "INSERT INTO operation (time, actor, verb, kind, id, name, request, document) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )
            .and_then(|mut statement| {
                statement.insert(params![
                    entry.time_ms as i64,
                    entry.actor,
                    entry.verb.text(),
                    number(entry.object.kind),
                    bytes(entry.object.id),
                    entry.name,
                    entry.request,
                    entry.document,
                ])
            })
            .map(|number| number as u64)
            .map_err(failed)
    }

    /// The last rows, oldest first; of one object where given.
    pub fn operations(&self, object: Option<ObjectId>, most: usize) -> Answer<Vec<Operation>> {
        let kind_number = object.map(|object| number(object.kind));
        let id = object.map(|object| bytes(object.id));
        let mut operations = self
            .transaction
            .prepare_cached(
                "SELECT seq, time, actor, verb, kind, id, name, request, document FROM operation
                 WHERE (?1 IS NULL OR (kind = ?1 AND id = ?2)) ORDER BY seq DESC LIMIT ?3",
            )
            .and_then(|mut statement| {
                statement
                    .query_map(
                        params![kind_number, id, i64::try_from(most).unwrap_or(i64::MAX)],
                        |row| {
                            Ok(Operation {
                                number: row.get::<_, i64>(0)? as u64,
                                time_ms: row.get::<_, i64>(1)? as u64,
                                actor: row.get(2)?,
                                verb: Verb::from_text(&row.get::<_, String>(3)?),
                                object: ObjectId {
                                    kind: kind(row.get(4)?).unwrap_or(Kind::Network),
                                    id: guid(row.get(5)?),
                                },
                                name: row.get(6)?,
                                request: row.get(7)?,
                                document: row.get(8)?,
                            })
                        },
                    )?
                    .collect::<rusqlite::Result<Vec<Operation>>>()
            })
            .map_err(failed)?;
        operations.reverse();
        Ok(operations)
    }

    /// Number of the last row; 0 for an empty log.
    pub fn last_operation(&self) -> Answer<u64> {
        self.transaction
            .query_row("SELECT coalesce(max(seq), 0) FROM operation", [], |row| {
                row.get::<_, i64>(0)
            })
            .map(|number| number as u64)
            .map_err(failed)
    }

    /// What there was right after an operation, in the order of making.
    pub fn moment(&self, operation: u64) -> Answer<Moment> {
        self.transaction
            .prepare_cached(
                "SELECT kind, id, document FROM operation AS last
                 WHERE seq = (SELECT max(seq) FROM operation WHERE kind = last.kind AND id = last.id AND seq <= ?1)
                   AND document IS NOT NULL
                 ORDER BY (SELECT max(seq) FROM operation WHERE kind = last.kind AND id = last.id AND verb = 'create' AND seq <= ?1)",
            )
            .and_then(|mut statement| {
                statement
                    .query_map(params![i64::try_from(operation).unwrap_or(i64::MAX)], |row| {
                        let object = ObjectId { kind: kind(row.get(0)?).unwrap_or(Kind::Network), id: guid(row.get(1)?) };
                        Ok((object, row.get(2)?))
                    })?
                    .collect::<rusqlite::Result<Moment>>()
            })
            .map_err(failed)
    }
}
