// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets as sets: equal ones are one, the sides of a packet are not mixed up, the edges of an axis are in it.

mod laws;

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::classifier::ProtocolSet;

fn tcp() -> ProtocolSet {
    let mut protocols = ProtocolSet::NONE;
    protocols.insert(6);
    protocols
}

/// A TCP rule for destination ports, as a destination's port sees it.
fn to_ports(ports: &[(u16, u16)]) -> Conditions<u32> {
    Conditions {
        protocols: tcp(),
        local_ports: Extent::of(ports.to_vec()),
        ..Conditions::none()
    }
}

fn flow(source: [u8; 4], destination: [u8; 4], destination_port: u16) -> Flow {
    Flow {
        source: IpAddr::from(source),
        destination: IpAddr::from(destination),
        protocol: Protocol::TCP,
        source_port: 49_152,
        destination_port,
    }
}

#[test]
fn a_set_that_is_put_together_another_way_is_the_same_set() {
    let mut space = Space::new(Family::V4);
    let low = space.of(&to_ports(&[(0, 79)]), Direction::In);
    let web = space.of(&to_ports(&[(80, 80)]), Direction::In);
    let high = space.of(&to_ports(&[(81, 65_535)]), Direction::In);
    let every = Conditions::<u32> {
        protocols: tcp(),
        ..Conditions::none()
    };
    let whole = space.of(&every, Direction::In);
    let joined = space.or(low, high);
    assert_eq!(space.minus(whole, web), joined);
    assert_eq!(space.or(joined, web), whole);
    assert_eq!(space.and(joined, web), Region::EMPTY);
    let rest = space.minus(Region::FULL, whole);
    assert_eq!(space.or(rest, whole), Region::FULL);
}

#[test]
fn local_is_the_destination_on_the_way_in_and_the_source_on_the_way_out() {
    let mut space = Space::new(Family::V4);
    let address = u32::from(Ipv4Addr::new(10, 0, 0, 7));
    let own = Conditions::<u32> {
        local: Extent::of(vec![(address, address)]),
        ..Conditions::none()
    };
    let inward = space.of(&own, Direction::In);
    let outward = space.of(&own, Direction::Out);
    let to_it = flow([10, 0, 0, 1], [10, 0, 0, 7], 80);
    assert!(space.contains(inward, &to_it) && !space.contains(outward, &to_it));
    assert!(space.contains(outward, &to_it.reverse()));
    assert!(!space.contains(inward, &to_it.reverse()));
}

#[test]
fn cells_say_what_is_in_a_set() {
    let mut space = Space::new(Family::V4);
    let web = space.of(&to_ports(&[(80, 80), (443, 443)]), Direction::In);
    let texts: Vec<String> = space.cells(web).iter().map(Cell::to_string).collect();
    assert_eq!(texts, ["any -> any tcp 80,443"]);
    let texts = |space: &Space, region| -> Vec<String> {
        space.cells(region).iter().map(Cell::service).collect()
    };
    let rest = space.minus(Region::FULL, web);
    assert_eq!(
        texts(&space, rest),
        ["every protocol but tcp", "tcp every port but 80,443"]
    );
    let plain: Vec<String> = space.cells(rest).iter().map(Cell::plain_service).collect();
    assert_eq!(plain, ["protocols 0-5,7-255", "tcp 0-79,81-442,444-65535"]);
    assert_eq!(texts(&space, Region::FULL), ["every protocol"]);
    assert!(space.cells(Region::EMPTY).is_empty());
}

#[test]
fn the_highest_address_of_ipv6_is_an_address_like_any_other() {
    let mut space = Space::new(Family::V6);
    let last = Conditions::<u128> {
        remote: Extent::of(vec![(u128::MAX, u128::MAX)]),
        ..Conditions::none()
    };
    let region = space.of(&last, Direction::Out);
    let rest = space.minus(Region::FULL, region);
    let to = |address: u128| Flow {
        source: IpAddr::from(1u128.to_be_bytes()),
        destination: IpAddr::from(address.to_be_bytes()),
        protocol: Protocol::ICMPV6,
        source_port: 0,
        destination_port: 0,
    };
    assert!(space.contains(region, &to(u128::MAX)) && !space.contains(rest, &to(u128::MAX)));
    assert!(space.contains(rest, &to(u128::MAX - 1)) && space.contains(rest, &to(0)));
    assert_eq!(space.cells(region).len(), 1);
    assert_eq!(space.cells(rest)[0].destinations.len(), 1);
}

#[test]
fn a_packet_of_the_other_family_is_in_no_set() {
    let space = Space::new(Family::V6);
    assert!(!space.contains(Region::FULL, &flow([10, 0, 0, 1], [10, 0, 0, 2], 80)));
}
