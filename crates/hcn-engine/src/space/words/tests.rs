// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets that a person can name, and the names.

use super::*;
use crate::{
    classifier::{Conditions, Extent, ProtocolSet},
    flow::Family,
};

/// Protocols and ports: all where none is given.
fn set(space: &mut Space, protocols: &[u8], to: &[(u16, u16)], from: &[(u16, u16)]) -> Region {
    let mut numbers = ProtocolSet::NONE;
    for number in protocols {
        numbers.insert(*number);
    }
    let extent = |ports: &[(u16, u16)]| match ports {
        [] => Extent::Any,
        ports => Extent::of(ports.to_vec()),
    };
    let conditions = Conditions::<u32> {
        protocols: numbers,
        local_ports: extent(to),
        remote_ports: extent(from),
        ..Conditions::none()
    };
    space.of(&conditions, Direction::In)
}

#[test]
fn of_a_set_and_its_complement_the_shorter_is_said() {
    let mut space = Space::new(Family::V4);
    let web = set(&mut space, &[6], &[(80, 80), (443, 443)], &[]);
    let name = set(&mut space, &[17], &[(53, 53)], &[]);
    let both = space.or(web, name);
    let rest = space.minus(Region::FULL, both);
    assert_eq!(space.services(web), "tcp 80,443");
    assert_eq!(space.services(both), "tcp 80,443; udp 53");
    assert_eq!(space.services(rest), "everything but (tcp 80,443; udp 53)");
    assert_eq!(space.services(Region::FULL), "everything");
    assert_eq!(space.services(Region::EMPTY), "nothing");
}

#[test]
fn ports_and_protocols_are_told_by_what_is_left_out_where_that_is_shorter() {
    let mut space = Space::new(Family::V4);
    let tcp = set(&mut space, &[6], &[], &[]);
    let web = set(&mut space, &[6], &[(80, 80)], &[]);
    let rest = space.minus(tcp, web);
    assert_eq!(space.services(tcp), "tcp");
    assert_eq!(space.services(rest), "tcp every port but 80");
    // Port 0 is a port too; one interval is told as it is.
    let usual = set(&mut space, &[6], &[(1, 65_535)], &[]);
    assert_eq!(space.services(usual), "tcp 1-65535");
    let others = space.minus(usual, web);
    assert_eq!(space.services(others), "tcp every port but 0,80");
    let tunnels = set(&mut space, &[1, 4, 41, 47], &[], &[]);
    assert_eq!(space.services(tunnels), "icmp,protocols 4,41,47");
    // Neighbours that have names are told by them.
    let pings = set(&mut space, &[1, 2, 58], &[], &[]);
    assert_eq!(space.services(pings), "icmp,igmp,icmpv6");
    let beyond = set(&mut space, &[1, 2, 3], &[], &[]);
    assert_eq!(space.services(beyond), "protocols 1-3");
    let one = set(&mut space, &[47], &[], &[]);
    assert_eq!(space.services(one), "protocol 47");
    // What TCP does on 80 and what all but TCP and UDP do: neither is the rest of something short.
    let with_ports = set(&mut space, &[6, 17], &[], &[]);
    let others = space.minus(Region::FULL, with_ports);
    let mixed = space.or(others, web);
    assert_eq!(space.services(mixed), "every protocol but tcp,udp; tcp 80");
}

#[test]
fn source_ports_are_told_where_they_matter() {
    let mut space = Space::new(Family::V4);
    let web = set(&mut space, &[6], &[(80, 80)], &[(1_024, 65_535)]);
    let ssh = set(&mut space, &[6], &[(22, 22)], &[]);
    let both = space.or(web, ssh);
    assert_eq!(space.services(web), "tcp 80 from source ports 1024-65535");
    assert_eq!(
        space.services(both),
        "tcp 22; tcp 80 from source ports 1024-65535"
    );
    let low = set(&mut space, &[17], &[], &[(53, 53)]);
    assert_eq!(space.services(low), "udp from source port 53");
    // What a "but" covers can be told, also where there are two.
    let tcp = set(&mut space, &[6], &[], &[]);
    let answers = set(&mut space, &[6], &[], &[(443, 443)]);
    let ports = set(&mut space, &[6], &[(80, 80)], &[]);
    let neither = space.or(answers, ports);
    let neither = space.minus(tcp, neither);
    assert_eq!(
        space.services(neither),
        "tcp every port but 80 from every source port but 443"
    );
    let rest = space.minus(Region::FULL, neither);
    assert_eq!(
        space.services(rest),
        "everything but tcp 0-79,81-65535 from source ports 0-442,444-65535"
    );
}

/// A set over sources.
fn from(space: &mut Space, first: [u8; 4], last: [u8; 4], services: Region) -> Region {
    let (first, last) = (u32::from_be_bytes(first), u32::from_be_bytes(last));
    let sources = Extent::of(vec![(first, last)]);
    space.cut(Axis::Source, &sources, services, Region::EMPTY)
}

#[test]
fn addresses_are_told_where_they_matter() {
    let mut space = Space::new(Family::V4);
    let web = set(&mut space, &[6], &[(80, 80)], &[]);
    let ours = from(&mut space, [10, 0, 0, 0], [10, 255, 255, 255], web);
    let words = |space: &mut Space, region| space.services_by_address(region, Direction::In);
    assert_eq!(words(&mut space, web), "tcp 80");
    assert_eq!(words(&mut space, ours), "from 10.0.0.0/8: tcp 80");
    // 10.0.0.9 to 10.0.0.12 are no prefix.
    let one = from(&mut space, [10, 0, 0, 9], [10, 0, 0, 12], Region::FULL);
    let other = space.or(ours, one);
    assert_eq!(
        words(&mut space, other),
        "from 10.0.0.0-10.0.0.8,10.0.0.13-10.255.255.255: tcp 80 / from 10.0.0.9-10.0.0.12: everything"
    );
    let rest = space.minus(Region::FULL, one);
    assert_eq!(
        words(&mut space, rest),
        "from 10.0.0.9-10.0.0.12: nothing / elsewhere: everything"
    );
    let all = space.or(rest, web);
    assert_eq!(
        words(&mut space, all),
        "from 10.0.0.9-10.0.0.12: tcp 80 / elsewhere: everything"
    );
}

#[test]
fn of_some_addresses_only_those_that_count_are_told_apart() {
    let mut space = Space::new(Family::V4);
    let one = from(&mut space, [10, 0, 0, 9], [10, 0, 0, 9], Region::FULL);
    let but_one = space.minus(Region::FULL, one);
    let nine = u128::from(u32::from_be_bytes([10, 0, 0, 9]));
    let others = [(0, nine - 1), (nine + 1, u32::MAX.into())];
    assert_eq!(space.only(one, Axis::Source, &others), Region::EMPTY);
    assert_eq!(space.only(but_one, Axis::Source, &others), Region::FULL);
    // Whether the one that does not count begins an interval or ends one.
    let low = from(&mut space, [0, 0, 0, 0], [10, 0, 0, 8], Region::FULL);
    let low_too = space.or(low, one);
    let alike = space.only(low, Axis::Source, &others);
    assert_eq!(space.only(low_too, Axis::Source, &others), alike);
    assert_ne!(alike, Region::FULL);
    assert_eq!(space.only(one, Axis::Source, &[(nine, nine)]), Region::FULL);
    assert_eq!(space.only(Region::FULL, Axis::Source, &[]), Region::EMPTY);
}

#[test]
fn a_set_of_another_space_is_the_same_set_here() {
    let mut one = Space::new(Family::V4);
    let web = set(&mut one, &[6], &[(80, 80)], &[]);
    let ours = from(&mut one, [10, 0, 0, 0], [10, 255, 255, 255], web);
    let mut other = Space::new(Family::V4);
    // Handles of the other space stand for other sets by now.
    set(&mut other, &[17], &[(53, 53)], &[]);
    let imported = other.import(&one, ours);
    let web = set(&mut other, &[6], &[(80, 80)], &[]);
    assert_eq!(
        from(&mut other, [10, 0, 0, 0], [10, 255, 255, 255], web),
        imported
    );
    assert_eq!(other.import(&one, Region::FULL), Region::FULL);
}

#[test]
fn an_interval_is_a_prefix_where_it_can_be() {
    let words =
        |first: &str, last: &str| address_words(&(first.parse().unwrap(), last.parse().unwrap()));
    assert_eq!(words("10.0.0.1", "10.0.0.1"), "10.0.0.1");
    assert_eq!(words("0.0.0.0", "255.255.255.255"), "0.0.0.0/0");
    assert_eq!(words("fd00::", "fd00::ffff"), "fd00::/112");
    assert_eq!(words("fd00::1", "fd00::2"), "fd00::1-fd00::2");
}
