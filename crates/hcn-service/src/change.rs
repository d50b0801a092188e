// SPDX-License-Identifier: MIT OR Apache-2.0
//! One change on its way from the request to the commit.
//!
//! Whatever a change reads, it reads under the store's write lock, so that what it admitted is still true when it commits.

use hcn_api::{Answer, Event, Kind, Notification, ObjectId};
use hcn_schema::{Document, Guid};
use serde_json::json;

use crate::{
    endpoint::EndpointRecord,
    network::NetworkRecord,
    profile::Profile,
    sources::{Clock, Ids},
    store::{Entry, Record, Verb, View},
};

/// A change that is under way.
pub(crate) struct Change<'a> {
    /// The store, under its write lock.
    pub view: View<'a>,
    /// How this HNS behaves.
    pub profile: &'a Profile,
    /// New ids.
    pub ids: &'a dyn Ids,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Start of the pseudo-random choices.
    pub seed: u64,
    /// Who asks.
    pub actor: &'a str,
    /// What was asked, as it was sent.
    pub request: String,
    /// What listeners are told after the commit.
    pub events: Vec<Event>,
}

impl Change<'_> {
    /// Adds an object and logs it.
    pub fn insert<T: Record>(&mut self, record: &T) -> Answer<()> {
        self.view.insert(record)?;
        self.log(Verb::Create, record)
    }

    /// Writes a changed object and logs it.
    pub fn update<T: Record>(&mut self, record: &T) -> Answer<()> {
        self.view.update(record)?;
        self.log(Verb::Modify, record)
    }

    /// Removes an object and logs it.
    pub fn remove<T: Record>(&mut self, record: &T) -> Answer<()> {
        let object = ObjectId {
            kind: T::KIND,
            id: record.id(),
        };
        self.view.remove(object)?;
        self.view.log(&Entry {
            time_ms: self.clock.now_ms(),
            actor: self.actor,
            verb: Verb::Delete,
            object,
            name: record.name(),
            request: &self.request,
            document: None,
        })?;
        Ok(())
    }

    fn log<T: Record>(&self, verb: Verb, record: &T) -> Answer<()> {
        self.view.log(&Entry {
            time_ms: self.clock.now_ms(),
            actor: self.actor,
            verb,
            object: ObjectId {
                kind: T::KIND,
                id: record.id(),
            },
            name: record.name(),
            request: &self.request,
            document: Some(&record.document().to_json()),
        })?;
        Ok(())
    }

    /// Tells listeners after the commit: `NotificationBase` with the flags of the object (hns-behaviour 1.9).
    pub fn tell(
        &mut self,
        notification: Notification,
        kind: Kind,
        id: Guid,
        flags: u32,
        data: &serde_json::Value,
    ) {
        let data = json!({"ID": id.upper(), "Flags": flags, "Data": data}).to_string();
        self.events.push(Event {
            notification,
            kind,
            id,
            data,
        });
    }

    /// Tells that an endpoint was attached or detached: the base names the network, its data the endpoint (Q39).
    pub fn tell_of_endpoint(
        &mut self,
        notification: Notification,
        record: &EndpointRecord,
    ) -> Answer<()> {
        let network = record.network_id();
        let flags = match self.view.load::<NetworkRecord>(network) {
            Ok(network) => network.document.flags.or_default().0,
            Err(error) if error.code.is_not_found() => 0,
            Err(error) => return Err(error),
        };
        let data =
            json!({"ID": network.upper(), "Flags": flags, "Data": {"ID": record.id.upper()}});
        self.events.push(Event {
            notification,
            kind: Kind::Endpoint,
            id: record.id,
            data: data.to_string(),
        });
        Ok(())
    }

    /// The time as a Windows FILETIME: 100 ns since 1601.
    pub fn file_time(&self) -> u64 {
        file_time(self.clock.now_ms())
    }
}

/// Milliseconds since 1970 as a Windows FILETIME.
pub(crate) fn file_time(unix_ms: u64) -> u64 {
    /// Milliseconds from 1601 to 1970.
    const EPOCH: u64 = 11_644_473_600_000;
    (unix_ms + EPOCH) * 10_000
}
