// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a change opens and closes, against verdicts of single flows before and after, on random switches.

mod scenes;

use std::net::IpAddr;

use hcn_engine::{Decision, Direction, Family, Switch, change::Changes};
use hcn_schema::Guid;
use proptest::prelude::*;
use scenes::{ADDRESSES, compile, endpoints, flows};

/// One that a rule names and no endpoint has, and one far away.
const OTHERS: [&str; 3] = ["10.0.0.99", "fd00::2", "192.0.2.1"];

fn guid(endpoint: usize) -> Guid {
    format!("00000000-0000-0000-0000-0000000000{endpoint:02}")
        .parse()
        .unwrap()
}

/// The endpoint's address of a family.
fn own(endpoint: usize, family: Family) -> Option<IpAddr> {
    let all = ADDRESSES[endpoint]
        .iter()
        .map(|address| address.parse::<IpAddr>().unwrap());
    all.into_iter()
        .find(|address| Family::from(*address) == family)
}

fn family(is_new: bool) -> Family {
    match is_new {
        true => Family::V6,
        false => Family::V4,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn at_a_port_what_opens_and_closes_is_what_is_judged_otherwise(one in endpoints(), other in endpoints(), who in 0..ADDRESSES.len(), is_new in any::<bool>()) {
        let (before, after) = (compile(one), compile(other));
        let family = family(is_new);
        let Some(own) = own(who, family) else {
            return Ok(());
        };
        let changes = Changes::between(&before, &after, &[guid(who)], family);
        let others = ADDRESSES.iter().flat_map(|all| all.iter()).chain(&OTHERS).map(|address| address.parse::<IpAddr>().unwrap());
        for other in others.filter(|other| Family::from(*other) == family && *other != own) {
            for direction in [Direction::In, Direction::Out] {
                let (source, destination) = match direction {
                    Direction::In => (other, own),
                    Direction::Out => (own, other),
                };
                let change = changes.changes.iter().find(|change| change.direction == direction);
                for flow in flows(source, destination).step_by(3) {
                    let passes = |switch: &Switch| {
                        let port = switch.port_of(guid(who)).unwrap();
                        switch.rule(port, direction, &flow).decision == Decision::Allow
                    };
                    let (was, is) = (passes(&before), passes(&after));
                    let Some(change) = change else {
                        prop_assert_eq!(was, is, "{} {}", direction, flow);
                        continue;
                    };
                    let said = [change.opened, change.closed, change.kept].map(|set| changes.space.contains(set, &flow));
                    prop_assert_eq!(said, [is && !was, was && !is, was && is], "{} {}", direction, flow);
                }
            }
        }
    }
}
