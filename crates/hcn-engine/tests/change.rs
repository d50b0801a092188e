// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a change opens and closes, against verdicts of single flows before and after, on random switches.

mod scenes;

use std::net::IpAddr;

use hcn_engine::{
    Decision, Direction, Family, Flow, Switch,
    change::{Changes, PairChanges},
};
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
                    let said = change.map(|change| [change.opened, change.closed].map(|set| changes.space.contains(set, &flow)));
                    prop_assert_eq!(said.unwrap_or_default(), [is && !was, was && !is], "{} {}", direction, flow);
                }
            }
        }
    }

    #[test]
    fn between_ports_what_opens_and_closes_is_what_a_verdict_says_otherwise(one in endpoints(), other in endpoints(), who in 0..ADDRESSES.len(), is_new in any::<bool>()) {
        let (before, after) = (compile(one), compile(other));
        let family = family(is_new);
        let changes = PairChanges::between(&before, &after, &[guid(who)], family);
        let known = |endpoint: usize| own(endpoint, family).map(|address| (guid(endpoint), address));
        for (from, to) in (0..ADDRESSES.len()).flat_map(|other| [(who, other), (other, who)]) {
            let (Some(from), Some(to)) = (known(from), known(to)) else {
                continue;
            };
            let change = changes.changes.iter().find(|change| change.from == from && change.to == to);
            for flow in flows(from.1, to.1).step_by(3) {
                let passes = |switch: &Switch, flow: &Flow| switch.verdict(flow).decision == Decision::Allow;
                let (was, is) = (passes(&before, &flow), passes(&after, &flow));
                let said = change.map(|change| [change.opened, change.closed].map(|set| changes.space.contains(set, &flow)));
                prop_assert_eq!(said.unwrap_or_default(), [is && !was, was && !is], "{}", flow);
            }
        }
    }
}
