// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated containers in the store.

use hcn_api::{Answer, HcnCode, HnsError};
use rusqlite::{OptionalExtension, Row, params};

use super::{
    View, failed,
    object::{bytes, guid},
};
use crate::container::Container;

const COLUMNS: &str = "name, id, endpoint, namespace, listeners, created, adopted";

impl View<'_> {
    /// All containers, oldest first.
    pub fn containers(&self) -> Answer<Vec<Container>> {
        self.transaction
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM container ORDER BY created, name"
            ))
            .and_then(|mut statement| {
                statement
                    .query_map([], read)?
                    .collect::<rusqlite::Result<Vec<Container>>>()
            })
            .map_err(failed)
    }

    /// A container by its name.
    pub fn container(&self, name: &str) -> Answer<Option<Container>> {
        self.transaction
            .prepare_cached(&format!("SELECT {COLUMNS} FROM container WHERE name = ?1"))
            .and_then(|mut statement| statement.query_row([name], read).optional())
            .map_err(failed)
    }

    /// Adds a container.
    pub fn add_container(&self, container: &Container) -> Answer<()> {
        let listeners = serde_json::to_string(&container.listeners).map_err(|error| {
            HnsError::because(
                HcnCode::E_FAIL,
                format!("the listeners cannot be written: {error}"),
            )
        })?;
        self.transaction
            .prepare_cached("INSERT INTO container (name, id, endpoint, namespace, listeners, created, adopted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
            .and_then(|mut statement| {
                statement.execute(params![
                    container.name,
                    container.id,
                    bytes(container.endpoint),
                    container.namespace.map(bytes),
                    listeners,
                    container.created_ms as i64,
                    container.adopted,
                ])
            })
            .map_err(failed)?;
        Ok(())
    }

    /// Removes a container.
    pub fn remove_container(&self, name: &str) -> Answer<()> {
        self.transaction
            .prepare_cached("DELETE FROM container WHERE name = ?1")
            .and_then(|mut statement| statement.execute([name]))
            .map_err(failed)?;
        Ok(())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Container> {
    let listeners: String = row.get(4)?;
    Ok(Container {
        name: row.get(0)?,
        id: row.get(1)?,
        endpoint: guid(row.get(2)?),
        namespace: row.get::<_, Option<[u8; 16]>>(3)?.map(guid),
        listeners: serde_json::from_str(&listeners).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                4,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        })?,
        created_ms: row.get::<_, i64>(5)? as u64,
        adopted: row.get(6)?,
    })
}
