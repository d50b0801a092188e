// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports in the store: the front ends of load balancers, and what guest network services reserved.
//!
//! A port of the host is taken by a published port, by a load balancer without an address, or by a reservation; the three tables are asked
//! under one write lock, so that no port is given out twice.

use std::collections::BTreeMap;

use hcn_api::Answer;
use hcn_schema::Guid;
use rusqlite::{OptionalExtension, params};

use super::{
    Holder, View, failed, holder,
    object::{bytes, guid},
};

/// Where a load balancer is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frontend {
    /// The virtual address; [`Frontend::ANY`] or [`Frontend::ANY_V6`] for every address of the host.
    pub address: String,
    /// IANA protocol number.
    pub protocol: u32,
    /// The port.
    pub port: u16,
}

impl Frontend {
    /// Every IPv4 address of the host.
    pub const ANY: &'static str = "";
    /// Every IPv6 address of the host.
    pub const ANY_V6: &'static str = "::";
}

/// A reservation of a guest network service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reserved {
    /// The number of its holder.
    pub holder: u64,
    /// The guest network service.
    pub service: Guid,
    /// `HCN_PORT_PROTOCOL`.
    pub protocol: u32,
    /// `HCN_PORT_ACCESS`.
    pub access: u32,
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

impl View<'_> {
    /// Who has a front end.
    pub fn frontend_owner(&self, frontend: &Frontend) -> Answer<Option<Guid>> {
        self.transaction
            .prepare_cached(
                "SELECT load_balancer FROM frontend WHERE address = ?1 AND protocol = ?2 AND port = ?3",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(
                        params![frontend.address, frontend.protocol, frontend.port],
                        |row| Ok(guid(row.get(0)?)),
                    )
                    .optional()
            })
            .map_err(failed)
    }

    /// Which load balancer without an address has a port of the host, in either family.
    pub fn any_frontend_owner(&self, protocol: u32, port: u16) -> Answer<Option<Guid>> {
        for address in [Frontend::ANY, Frontend::ANY_V6] {
            let frontend = Frontend {
                address: address.to_owned(),
                protocol,
                port,
            };
            if let Some(owner) = self.frontend_owner(&frontend)? {
                return Ok(Some(owner));
            }
        }
        Ok(None)
    }

    /// Gives a load balancer a front end.
    pub fn take_frontend(&self, frontend: &Frontend, load_balancer: Guid) -> Answer<()> {
        self.transaction
            .prepare_cached("INSERT INTO frontend VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut statement| {
                statement.execute(params![
                    frontend.address,
                    frontend.protocol,
                    frontend.port,
                    bytes(load_balancer)
                ])
            })
            .map_err(failed)?;
        Ok(())
    }

    /// Gives the front ends of a load balancer back.
    pub fn release_frontends(&self, load_balancer: Guid) -> Answer<()> {
        self.transaction
            .prepare_cached("DELETE FROM frontend WHERE load_balancer = ?1")
            .and_then(|mut statement| statement.execute(params![bytes(load_balancer)]))
            .map_err(failed)?;
        Ok(())
    }

    /// Which endpoint publishes a port of the host.
    pub fn host_port_owner(&self, protocol: u32, port: u16) -> Answer<Option<Guid>> {
        self.transaction
            .prepare_cached("SELECT endpoint FROM host_port WHERE protocol = ?1 AND port = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row(params![protocol, port], |row| Ok(guid(row.get(0)?)))
                    .optional()
            })
            .map_err(failed)
    }

    /// The published ports of the host: protocol and port.
    pub fn host_ports(&self) -> Answer<Vec<(u32, u16)>> {
        self.transaction
            .prepare_cached("SELECT protocol, port FROM host_port ORDER BY protocol, port")
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<rusqlite::Result<Vec<(u32, u16)>>>()
            })
            .map_err(failed)
    }

    /// Ports of the host that load balancers without an address have.
    pub fn any_frontends(&self) -> Answer<Vec<u16>> {
        self.transaction
            .prepare_cached("SELECT DISTINCT port FROM frontend WHERE address IN (?1, ?2)")
            .and_then(|mut statement| {
                statement
                    .query_map(params![Frontend::ANY, Frontend::ANY_V6], |row| row.get(0))?
                    .collect::<rusqlite::Result<Vec<u16>>>()
            })
            .map_err(failed)
    }

    /// A new holder of reservations.
    pub fn holder(&self, number: u64) -> Answer<Holder> {
        Holder::new(self.directory, number)
    }

    /// Writes a reservation and takes those of the dead away; tells its number.
    pub fn reserve(&self, reserved: &Reserved) -> Answer<u64> {
        for (holder, lives) in self.holders()? {
            if !lives {
                self.release_reserved_by(holder)?;
            }
        }
        holder::bury(self.directory);
        self.transaction
            .prepare_cached(
                "INSERT INTO port_reservation (holder, service, protocol, access, first, last) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .and_then(|mut statement| {
                statement.insert(params![
                    reserved.holder as i64,
                    bytes(reserved.service),
                    reserved.protocol,
                    reserved.access,
                    reserved.first,
                    reserved.last
                ])
            })
            .map(|number| number as u64)
            .map_err(failed)
    }

    /// Those that reservations are of, and whether each still lives.
    fn holders(&self) -> Answer<BTreeMap<u64, bool>> {
        let numbers = self
            .transaction
            .prepare_cached("SELECT DISTINCT holder FROM port_reservation")
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| row.get(0))?
                    .collect::<rusqlite::Result<Vec<i64>>>()
            })
            .map_err(failed)?;
        Ok(numbers
            .into_iter()
            .map(|number| number as u64)
            .map(|number| (number, holder::lives(self.directory, number)))
            .collect())
    }

    /// All reservations whose holder lives, oldest first.
    pub fn reserved(&self) -> Answer<Vec<Reserved>> {
        let holders = self.holders()?;
        let mut reserved = self
            .transaction
            .prepare_cached(
                "SELECT holder, service, protocol, access, first, last FROM port_reservation ORDER BY number",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(Reserved {
                            holder: row.get::<_, i64>(0)? as u64,
                            service: guid(row.get(1)?),
                            protocol: row.get(2)?,
                            access: row.get(3)?,
                            first: row.get(4)?,
                            last: row.get(5)?,
                        })
                    })?
                    .collect::<rusqlite::Result<Vec<Reserved>>>()
            })
            .map_err(failed)?;
        reserved.retain(|own| holders.get(&own.holder) == Some(&true));
        Ok(reserved)
    }

    /// Takes a reservation away; false where it is not there.
    pub fn release_reserved(&self, number: u64) -> Answer<bool> {
        self.transaction
            .prepare_cached("DELETE FROM port_reservation WHERE number = ?1")
            .and_then(|mut statement| {
                statement.execute(params![i64::try_from(number).unwrap_or(0)])
            })
            .map(|rows| rows > 0)
            .map_err(failed)
    }

    /// Takes all reservations of a holder away.
    pub fn release_reserved_by(&self, holder: u64) -> Answer<()> {
        self.transaction
            .prepare_cached("DELETE FROM port_reservation WHERE holder = ?1")
            .and_then(|mut statement| statement.execute(params![holder as i64]))
            .map_err(failed)?;
        Ok(())
    }

    /// Takes all reservations of a guest network service away.
    pub fn release_reserved_of(&self, service: Guid) -> Answer<()> {
        self.transaction
            .prepare_cached("DELETE FROM port_reservation WHERE service = ?1")
            .and_then(|mut statement| statement.execute(params![bytes(service)]))
            .map_err(failed)?;
        Ok(())
    }

    /// What is kept beside the objects under a key.
    pub fn note(&self, key: &str) -> Answer<Option<String>> {
        self.transaction
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
                row.get(0)
            })
            .optional()
            .map_err(failed)
    }

    /// Keeps something beside the objects under a key.
    pub fn set_note(&self, key: &str, value: &str) -> Answer<()> {
        self.transaction
            .execute(
                "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
                [key, value],
            )
            .map_err(failed)?;
        Ok(())
    }
}
