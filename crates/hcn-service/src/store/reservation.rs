// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be given out once only: addresses, MAC addresses, published ports; and how many endpoints a network has.
//!
//! The primary keys do the guarding: a reservation either takes its row or finds it taken.

use std::{collections::BTreeSet, net::IpAddr};

use hcn_api::Answer;
use hcn_schema::{Guid, MacAddress};
use rusqlite::{OptionalExtension, ToSql, params};

use super::{
    View, failed,
    object::{bytes, guid},
};

/// How many endpoints a network has, had at most, and ever had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Now.
    pub now: u32,
    /// At most at one time.
    pub most: u32,
    /// Ever.
    pub ever: u32,
}

impl View<'_> {
    /// Reserves an address of a network; false where it is taken.
    pub fn reserve_address(&self, network: Guid, address: IpAddr, endpoint: Guid) -> Answer<bool> {
        self.take(
            "INSERT OR IGNORE INTO address VALUES (?1, ?2, ?3)",
            params![bytes(network), octets(address), bytes(endpoint)],
        )
    }

    /// Who has an address of a network.
    pub fn address_owner(&self, network: Guid, address: IpAddr) -> Answer<Option<Guid>> {
        self.transaction
            .prepare_cached("SELECT endpoint FROM address WHERE network = ?1 AND address = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row(params![bytes(network), octets(address)], |row| {
                        Ok(guid(row.get(0)?))
                    })
                    .optional()
            })
            .map_err(failed)
    }

    /// The taken addresses of a network.
    pub fn addresses(&self, network: Guid) -> Answer<BTreeSet<IpAddr>> {
        self.transaction
            .prepare_cached("SELECT address FROM address WHERE network = ?1")
            .and_then(|mut statement| {
                statement
                    .query_map(params![bytes(network)], |row| row.get::<_, Vec<u8>>(0))?
                    .filter_map(|octets| octets.map(|octets| address(&octets)).transpose())
                    .collect::<rusqlite::Result<BTreeSet<IpAddr>>>()
            })
            .map_err(failed)
    }

    /// Gives an address back.
    pub fn release_address(&self, network: Guid, address: IpAddr, endpoint: Guid) -> Answer<()> {
        self.take(
            "DELETE FROM address WHERE network = ?1 AND address = ?2 AND endpoint = ?3",
            params![bytes(network), octets(address), bytes(endpoint)],
        )?;
        Ok(())
    }

    /// Reserves a MAC address of a network; false where it is taken.
    pub fn reserve_mac_address(
        &self,
        network: Guid,
        address: MacAddress,
        endpoint: Guid,
    ) -> Answer<bool> {
        self.take(
            "INSERT OR IGNORE INTO mac_address VALUES (?1, ?2, ?3)",
            params![bytes(network), address.number() as i64, bytes(endpoint)],
        )
    }

    /// The taken MAC addresses of a network, as numbers.
    pub fn mac_addresses(&self, network: Guid) -> Answer<BTreeSet<u64>> {
        self.transaction
            .prepare_cached("SELECT address FROM mac_address WHERE network = ?1")
            .and_then(|mut statement| {
                statement
                    .query_map(params![bytes(network)], |row| {
                        row.get::<_, i64>(0).map(|number| number as u64)
                    })?
                    .collect::<rusqlite::Result<BTreeSet<u64>>>()
            })
            .map_err(failed)
    }

    /// Gives a MAC address back.
    pub fn release_mac_address(
        &self,
        network: Guid,
        address: MacAddress,
        endpoint: Guid,
    ) -> Answer<()> {
        self.take(
            "DELETE FROM mac_address WHERE network = ?1 AND address = ?2 AND endpoint = ?3",
            params![bytes(network), address.number() as i64, bytes(endpoint)],
        )?;
        Ok(())
    }

    /// Reserves a port of the host; false where it is taken.
    pub fn reserve_host_port(&self, protocol: u32, port: u16, endpoint: Guid) -> Answer<bool> {
        self.take(
            "INSERT OR IGNORE INTO host_port VALUES (?1, ?2, ?3)",
            params![protocol, port, bytes(endpoint)],
        )
    }

    /// Gives all ports of an endpoint back.
    pub fn release_host_ports(&self, endpoint: Guid) -> Answer<()> {
        self.take(
            "DELETE FROM host_port WHERE endpoint = ?1",
            params![bytes(endpoint)],
        )?;
        Ok(())
    }

    /// Counts one more endpoint of a network.
    pub fn count_up(&self, network: Guid) -> Answer<()> {
        self.take(
            "INSERT INTO network_count VALUES (?1, 1, 1, 1)
             ON CONFLICT DO UPDATE SET now = now + 1, most = max(most, now + 1), ever = ever + 1",
            params![bytes(network)],
        )?;
        Ok(())
    }

    /// Counts one endpoint less.
    pub fn count_down(&self, network: Guid) -> Answer<()> {
        self.take(
            "UPDATE network_count SET now = now - 1 WHERE network = ?1",
            params![bytes(network)],
        )?;
        Ok(())
    }

    /// How many endpoints a network has.
    pub fn count(&self, network: Guid) -> Answer<Count> {
        self.transaction
            .prepare_cached("SELECT now, most, ever FROM network_count WHERE network = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row(params![bytes(network)], |row| {
                        Ok(Count {
                            now: row.get(0)?,
                            most: row.get(1)?,
                            ever: row.get(2)?,
                        })
                    })
                    .optional()
            })
            .map(Option::unwrap_or_default)
            .map_err(failed)
    }

    /// Forgets the count of a network.
    pub fn forget_count(&self, network: Guid) -> Answer<()> {
        self.take(
            "DELETE FROM network_count WHERE network = ?1",
            params![bytes(network)],
        )?;
        Ok(())
    }

    /// Runs one statement; whether it changed a row.
    fn take(&self, text: &str, values: &[&dyn ToSql]) -> Answer<bool> {
        self.transaction
            .prepare_cached(text)
            .and_then(|mut statement| statement.execute(values))
            .map(|rows| rows > 0)
            .map_err(failed)
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}
