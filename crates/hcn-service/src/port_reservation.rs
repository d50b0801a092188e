// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports of the host that guest network services keep for their guests.
//!
//! Source: hns-behaviour 1.2. Reservations are in the store, since two processes on one store must not get one port. On Windows a reservation
//! ends with the process that holds its handle; so a service gives back those that were made through it when it is closed, and those of a process
//! that ended without closing it count no more.

use hcn_api::{
    Answer, HcnCode, HnsError, PortAccess, PortProtocol, PortRange, PortRangeEntry, PortReservation,
};
use hcn_schema::{Guid, Id};

use crate::{
    change::Change,
    guest_network_service::GuestNetworkServiceRecord,
    store::{Reserved, View},
};

/// The first of the dynamic ports of Windows.
const FIRST_DYNAMIC: u16 = 49152;

/// Keeps one port.
///
/// # Errors
/// `ERROR_NOT_FOUND` for a service that is not there, `E_INVALIDARG` for port 0, `HCN_E_PORT_ALREADY_EXISTS`.
pub(crate) fn port(
    change: &Change<'_>,
    holder: u64,
    service: Guid,
    protocol: PortProtocol,
    access: PortAccess,
    port: u16,
) -> Answer<PortReservation> {
    let _: GuestNetworkServiceRecord = change.view.load(service)?;
    if port == 0 {
        return Err(HnsError::at(
            HcnCode::E_INVALIDARG,
            "Port",
            "port 0 cannot be reserved; give 1 to 65535",
        ));
    }
    let ports = PortRange {
        first: port,
        last: port,
    };
    if let Some(owner) = owner(&change.view, protocol, access, ports)? {
        return Err(HnsError::at(
            HcnCode::HCN_E_PORT_ALREADY_EXISTS,
            "Port",
            format!("port {port} of the host is taken by {owner}; choose another"),
        ));
    }
    write(change, holder, service, protocol, access, ports)
}

/// Keeps a range of ports of TCP and UDP, the lowest that is free in the dynamic ports of Windows.
///
/// # Errors
/// `ERROR_NOT_FOUND` for a service that is not there, `E_INVALIDARG` for no port, `HCN_E_PORT_ALREADY_EXISTS` where no range is free.
pub(crate) fn range(
    change: &Change<'_>,
    holder: u64,
    service: Guid,
    count: u16,
) -> Answer<(PortReservation, PortRange)> {
    let _: GuestNetworkServiceRecord = change.view.load(service)?;
    if count == 0 {
        return Err(HnsError::at(
            HcnCode::E_INVALIDARG,
            "PortCount",
            "a range of no ports cannot be reserved",
        ));
    }
    let mut first = FIRST_DYNAMIC;
    // The last port is the first plus the count: WSL asks for 4095 and asserts just that (hns-behaviour 1.2).
    while let Some(last) = first.checked_add(count) {
        let ports = PortRange { first, last };
        match last_taken(&change.view, ports)? {
            None => {
                let reservation = write(
                    change,
                    holder,
                    service,
                    PortProtocol::Both,
                    PortAccess::Exclusive,
                    ports,
                )?;
                return Ok((reservation, ports));
            }
            Some(u16::MAX) => break,
            Some(taken) => first = taken + 1,
        }
    }
    Err(HnsError::at(
        HcnCode::HCN_E_PORT_ALREADY_EXISTS,
        "PortCount",
        format!(
            "no {} ports that follow each other are free from {FIRST_DYNAMIC} up",
            u32::from(count) + 1
        ),
    ))
}

fn write(
    change: &Change<'_>,
    holder: u64,
    service: Guid,
    protocol: PortProtocol,
    access: PortAccess,
    ports: PortRange,
) -> Answer<PortReservation> {
    let reserved = Reserved {
        holder,
        service,
        protocol: protocol as u32,
        access: access as u32,
        first: ports.first,
        last: ports.last,
    };
    change.view.reserve(&reserved).map(PortReservation)
}

/// Gives a reservation back.
///
/// # Errors
/// `E_HANDLE` where it is not there.
pub(crate) fn release(change: &Change<'_>, reservation: PortReservation) -> Answer<()> {
    if change.view.release_reserved(reservation.0)? {
        return Ok(());
    }
    Err(HnsError::because(
        HcnCode::E_HANDLE,
        format!("there is no port reservation {}", reservation.0),
    ))
}

/// All reservations as others see them. What the record does not tell is 0; the partitions are the guest's.
pub(crate) fn entries(view: &View<'_>) -> Answer<Vec<PortRangeEntry>> {
    let services: Vec<GuestNetworkServiceRecord> = view.all()?;
    let machine = |service: Guid| {
        services
            .iter()
            .find(|own| own.id == service)
            .and_then(|own| own.document.virtual_machine_id.get().and_then(Id::guid))
            .unwrap_or_default()
    };
    Ok(view
        .reserved()?
        .into_iter()
        .map(|own| PortRangeEntry {
            owning_partition: machine(own.service),
            target_partition: machine(own.service),
            protocol: PortProtocol::from_number(own.protocol).unwrap_or(PortProtocol::Both),
            priority: 0,
            reservation_type: 0,
            sharing_flags: u32::from(own.access == PortAccess::Shared as u32),
            delivery_mode: 0,
            ports: PortRange {
                first: own.first,
                last: own.last,
            },
        })
        .collect())
}

/// Refuses a port of the host that a guest network service has reserved.
///
/// # Errors
/// `HCN_E_PORT_ALREADY_EXISTS`.
pub(crate) fn refuse_reserved(
    view: &View<'_>,
    protocol: u32,
    port: u16,
    field: &str,
) -> Answer<()> {
    for own in view.reserved()? {
        let same = PortProtocol::from_number(own.protocol)
            .is_some_and(|own| own.iana().contains(&protocol));
        if same && (own.first..=own.last).contains(&port) {
            return Err(HnsError::at(
                HcnCode::HCN_E_PORT_ALREADY_EXISTS,
                field,
                format!(
                    "port {port} of the host is reserved for guest network service {}; choose another",
                    own.service
                ),
            ));
        }
    }
    Ok(())
}

/// Who has a port of a range, in words.
fn owner(
    view: &View<'_>,
    protocol: PortProtocol,
    access: PortAccess,
    ports: PortRange,
) -> Answer<Option<String>> {
    for own in view.reserved()? {
        let meets = own.first <= ports.last && ports.first <= own.last;
        let same = PortProtocol::from_number(own.protocol)
            .is_some_and(|own| own.iana().iter().any(|one| protocol.iana().contains(one)));
        let shared = access == PortAccess::Shared && own.access == PortAccess::Shared as u32;
        if meets && same && !shared {
            return Ok(Some(format!("guest network service {}", own.service)));
        }
    }
    for one in protocol.iana() {
        for (own, port) in view.host_ports()? {
            if own == *one && (ports.first..=ports.last).contains(&port) {
                return Ok(Some("a published port".to_owned()));
            }
        }
    }
    for one in protocol.iana() {
        for port in ports.first..=ports.last {
            if let Some(owner) = view.any_frontend_owner(*one, port)? {
                return Ok(Some(format!("load balancer {owner}")));
            }
        }
    }
    Ok(None)
}

/// The highest port of a range that is taken by anybody, in either protocol.
fn last_taken(view: &View<'_>, ports: PortRange) -> Answer<Option<u16>> {
    let inside = |port: u16| (ports.first..=ports.last).contains(&port);
    let mut last: Option<u16> = None;
    for own in view.reserved()? {
        if own.first <= ports.last && ports.first <= own.last {
            last = last.max(Some(own.last.min(ports.last)));
        }
    }
    let published = view.host_ports()?.into_iter().map(|(_, port)| port);
    last = last.max(published.filter(|port| inside(*port)).max());
    last = last.max(
        view.any_frontends()?
            .into_iter()
            .filter(|port| inside(*port))
            .max(),
    );
    Ok(last)
}
