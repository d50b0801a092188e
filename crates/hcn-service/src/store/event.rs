// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events in the store: what was told, so that other processes are told too.
//!
//! Written in the transaction of the change, so an event is there if and only if its change is.

use hcn_api::{Answer, Event, Kind, Notification};
use rusqlite::params;

use super::{
    View, failed,
    object::{bytes, guid, kind, number},
};

/// An event as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Its number; grows by time.
    pub number: u64,
    /// Which open service told it to its own listeners.
    pub teller: u64,
    /// The event.
    pub event: Event,
}

impl View<'_> {
    /// Writes an event.
    pub fn tell(&self, teller: u64, event: &Event) -> Answer<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO event (teller, notification, kind, id, data) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    teller as i64,
                    event.notification as u32,
                    number(event.kind),
                    bytes(event.id),
                    event.data,
                ])
            })
            .map_err(failed)?;
        Ok(())
    }

    /// The events after a number, oldest first.
    pub fn told_since(&self, after: u64) -> Answer<Vec<Told>> {
        self.transaction
            .prepare_cached(
                "SELECT number, teller, notification, kind, id, data FROM event WHERE number > ?1 ORDER BY number",
            )
            .and_then(|mut statement| {
                statement
                    .query_map(params![i64::try_from(after).unwrap_or(i64::MAX)], |row| {
                        Ok(Told {
                            number: row.get::<_, i64>(0)? as u64,
                            teller: row.get::<_, i64>(1)? as u64,
                            event: Event {
                                notification: Notification::from_number(row.get(2)?)
                                    .unwrap_or(Notification::ServiceDisconnect),
                                kind: kind(row.get(3)?).unwrap_or(Kind::Network),
                                id: guid(row.get(4)?),
                                data: row.get(5)?,
                            },
                        })
                    })?
                    .collect::<rusqlite::Result<Vec<Told>>>()
            })
            .map_err(failed)
    }

    /// Number of the last event; 0 where there was none.
    pub fn last_event(&self) -> Answer<u64> {
        self.transaction
            .prepare_cached("SELECT coalesce(max(number), 0) FROM event")
            .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)))
            .map(|number| number as u64)
            .map_err(failed)
    }
}
