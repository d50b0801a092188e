// SPDX-License-Identifier: MIT OR Apache-2.0
//! Objects in the store: the document as it is answered, and what the service knows beside it.

use hcn_api::{Answer, HcnCode, HnsError, Kind, ObjectId};
use hcn_schema::{Document, Guid};
use rusqlite::{OptionalExtension, Row as SqlRow, params};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{View, failed};

/// One object as stored.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The id.
    pub id: Guid,
    /// The v2 document.
    pub document: String,
    /// What the service knows beside it, as JSON.
    pub internal: String,
}

/// A kind of object as the service works with it.
pub(crate) trait Record: Sized {
    /// The kind.
    const KIND: Kind;
    /// Its v2 document.
    type Document: Document;
    /// What the service knows beside it.
    type Internal: Serialize + DeserializeOwned;

    /// Puts a record together.
    fn new(id: Guid, document: Self::Document, internal: Self::Internal) -> Self;
    /// The id.
    fn id(&self) -> Guid;
    /// The document.
    fn document(&self) -> &Self::Document;
    /// What the service knows beside it.
    fn internal(&self) -> &Self::Internal;
    /// The name.
    fn name(&self) -> &str;
    /// The network of an endpoint.
    fn network(&self) -> Option<Guid>;
}

impl Row {
    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
        Ok(Row {
            id: guid(row.get(0)?),
            document: row.get(1)?,
            internal: row.get(2)?,
        })
    }

    /// `State` of the document, read past everything else.
    pub fn state(&self) -> Option<u64> {
        #[derive(Deserialize)]
        struct OfState {
            #[serde(rename = "State")]
            state: Option<u64>,
        }
        serde_json::from_str::<OfState>(&self.document).ok()?.state
    }

    /// The row as a record.
    ///
    /// # Errors
    /// `ERROR_FILE_CORRUPT` where the store holds what this program did not write.
    pub fn record<T: Record>(&self) -> Answer<T> {
        let damaged = |error: serde_json::Error| {
            HnsError::because(
                HcnCode::ERROR_FILE_CORRUPT,
                format!(
                    "the {} {} in the store is not readable: {error}",
                    T::KIND,
                    self.id
                ),
            )
        };
        let document = T::Document::from_json(&self.document).map_err(damaged)?;
        let internal = serde_json::from_str(&self.internal).map_err(damaged)?;
        Ok(T::new(self.id, document, internal))
    }
}

impl View<'_> {
    /// The row of an object.
    pub fn row(&self, object: ObjectId) -> Answer<Row> {
        self.transaction
            .prepare_cached("SELECT id, document, internal FROM object WHERE kind = ?1 AND id = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row(params![number(object.kind), bytes(object.id)], Row::read)
                    .optional()
            })
            .map_err(failed)?
            .ok_or_else(|| object.not_found())
    }

    /// Whether an object exists.
    pub fn exists(&self, object: ObjectId) -> Answer<bool> {
        self.transaction
            .prepare_cached("SELECT 1 FROM object WHERE kind = ?1 AND id = ?2")
            .and_then(|mut statement| {
                statement.exists(params![number(object.kind), bytes(object.id)])
            })
            .map_err(failed)
    }

    /// The number of an object in the order of making; it is never given again.
    pub fn sequence(&self, object: ObjectId) -> Answer<u64> {
        self.transaction
            .prepare_cached("SELECT seq FROM object WHERE kind = ?1 AND id = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row(params![number(object.kind), bytes(object.id)], |row| {
                        row.get::<_, i64>(0)
                    })
                    .optional()
            })
            .map_err(failed)?
            // SQLite counts from 1.
            .map(i64::unsigned_abs)
            .ok_or_else(|| object.not_found())
    }

    /// An object.
    pub fn load<T: Record>(&self, id: Guid) -> Answer<T> {
        self.row(ObjectId { kind: T::KIND, id })?.record()
    }

    /// All rows of a kind that have the name and the network, where given, in the order of their making.
    pub fn rows(&self, kind: Kind, name: Option<&str>, network: Option<Guid>) -> Answer<Vec<Row>> {
        // Three texts, so that SQLite chooses an index for each.
        let text = match (name, network) {
            (None, None) => {
                // The table lies in the order of seq: reading it through an index would sort every document.
                "SELECT id, document, internal FROM object NOT INDEXED WHERE kind = ?1 ORDER BY seq"
            }
            (Some(_), None) => {
                "SELECT id, document, internal FROM object WHERE kind = ?1 AND name = ?2 ORDER BY seq"
            }
            (_, Some(_)) => {
                "SELECT id, document, internal FROM object WHERE kind = ?1 AND (?2 IS NULL OR name = ?2) AND network = ?3 ORDER BY seq"
            }
        };
        self.transaction
            .prepare_cached(text)
            .and_then(|mut statement| {
                let number = number(kind);
                let rows = match (name, network) {
                    (None, None) => statement.query_map(params![number], Row::read)?,
                    (Some(name), None) => statement.query_map(params![number, name], Row::read)?,
                    (_, Some(network)) => {
                        statement.query_map(params![number, name, bytes(network)], Row::read)?
                    }
                };
                rows.collect::<rusqlite::Result<Vec<Row>>>()
            })
            .map_err(failed)
    }

    /// The documents of all objects of a kind, in the order of their making. What the service knows beside them is as long as they are, and is not
    /// read.
    pub fn documents(&self, kind: Kind) -> Answer<Vec<String>> {
        self.transaction
            .prepare_cached("SELECT document FROM object NOT INDEXED WHERE kind = ?1 ORDER BY seq")
            .and_then(|mut statement| {
                statement
                    .query_map(params![number(kind)], |row| row.get(0))?
                    .collect()
            })
            .map_err(failed)
    }

    /// All objects of a kind.
    pub fn all<T: Record>(&self) -> Answer<Vec<T>> {
        self.rows(T::KIND, None, None)?
            .iter()
            .map(Row::record)
            .collect()
    }

    /// Ids of a kind, in the order of their making.
    pub fn ids(&self, kind: Kind) -> Answer<Vec<Guid>> {
        self.transaction
            .prepare_cached("SELECT id FROM object WHERE kind = ?1 ORDER BY seq")
            .and_then(|mut statement| {
                statement
                    .query_map(params![number(kind)], |row| Ok(guid(row.get(0)?)))?
                    .collect::<rusqlite::Result<Vec<Guid>>>()
            })
            .map_err(failed)
    }

    /// Adds an object.
    pub fn insert<T: Record>(&self, record: &T) -> Answer<()> {
        self.transaction
            .prepare_cached("INSERT INTO object (kind, id, name, network, document, internal) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .and_then(|mut statement| {
                statement.execute(params![
                    number(T::KIND),
                    bytes(record.id()),
                    record.name(),
                    record.network().map(bytes),
                    record.document().to_json(),
                    internal_text(record)?,
                ])
            })
            .map_err(failed)?;
        Ok(())
    }

    /// Writes an object that exists.
    pub fn update<T: Record>(&self, record: &T) -> Answer<()> {
        self.transaction
            .prepare_cached("UPDATE object SET name = ?3, document = ?4, internal = ?5 WHERE kind = ?1 AND id = ?2")
            .and_then(|mut statement| {
                statement.execute(params![
                    number(T::KIND),
                    bytes(record.id()),
                    record.name(),
                    record.document().to_json(),
                    internal_text(record)?,
                ])
            })
            .map_err(failed)?;
        Ok(())
    }

    /// Removes an object.
    pub fn remove(&self, object: ObjectId) -> Answer<()> {
        self.transaction
            .prepare_cached("DELETE FROM object WHERE kind = ?1 AND id = ?2")
            .and_then(|mut statement| {
                statement.execute(params![number(object.kind), bytes(object.id)])
            })
            .map_err(failed)?;
        Ok(())
    }
}

fn internal_text<T: Record>(record: &T) -> rusqlite::Result<String> {
    serde_json::to_string(record.internal())
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// A kind as the store writes it; never renumber.
pub(super) fn number(kind: Kind) -> i64 {
    match kind {
        Kind::Network => 1,
        Kind::Endpoint => 2,
        Kind::Namespace => 3,
        Kind::LoadBalancer => 4,
        Kind::SdnRoute => 5,
        Kind::GuestNetworkService => 6,
    }
}

/// The kind of a number in the store.
pub(super) fn kind(number: i64) -> Option<Kind> {
    Kind::ALL
        .into_iter()
        .find(|kind| self::number(*kind) == number)
}

/// An id as the store writes it.
pub(super) fn bytes(id: Guid) -> [u8; 16] {
    id.0.to_be_bytes()
}

/// The id of what the store holds.
pub(super) fn guid(bytes: [u8; 16]) -> Guid {
    Guid(u128::from_be_bytes(bytes))
}
