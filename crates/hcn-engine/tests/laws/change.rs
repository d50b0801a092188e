// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a change opens and closes, against the second reading of single flows before and after, on random hosts.

use std::net::IpAddr;

use hcn_engine::{Direction, Family, Flow, change::Changes};
use proptest::prelude::*;

use crate::{
    hosts::{self, compile, endpoint_id},
    law::{Dice, Met, try_each},
    reach::{ADDRESSES, BEYOND, WORDS, host, own},
    reading::TextHost,
};

/// What opened and closed was met, and what stayed.
fn covers_all(met: &Met) {
    met.promises(
        10_000,
        &["opened", "closed", "stayed open", "stayed closed"],
    );
    met.covers(1_000, &["ICMPv6", "IPv6"]);
    met.covers(
        100,
        &["Host rule Block", "Network rule Block", "Tier rule Block"],
    );
    met.covers(100, &hosts::KINDS_OF_RULES);
}

/// Before, after, whose rules change, the family, a seed. Afterwards some endpoints have the rules of before.
fn cases() -> impl Strategy<Value = (TextHost, TextHost, usize, Family, u64)> {
    let family = any::<bool>().prop_map(|is_new| if is_new { Family::V6 } else { Family::V4 });
    let who = 0..ADDRESSES.len();
    (host(), host(), who, family, any::<u64>()).prop_map(|(one, mut other, who, family, seed)| {
        if Dice(seed).one_of(2) {
            // Of one network, as a change of rules mostly is.
            other.networks.clone_from(&one.networks);
            other.semantics.clone_from(&one.semantics);
        }
        (one, other, who, family, seed)
    })
}

/// What is said of one flow against what the reading says.
fn compare(
    said: Option<[bool; 2]>,
    [was, is]: [bool; 2],
    flow: &Flow,
    met: &mut Met,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(
        said.unwrap_or_default(),
        [is && !was, was && !is],
        "{}",
        flow
    );
    met.add(match (was, is) {
        (false, true) => "opened",
        (true, false) => "closed",
        (true, true) => "stayed open",
        (false, false) => "stayed closed",
    });
    Ok(())
}

#[test]
fn at_a_port_what_opens_and_closes_is_what_is_judged_otherwise() {
    let met = try_each(10_000, &cases(), |(one, other, who, family, seed), met| {
        let (before, after) = (compile(&one), compile(&other));
        let Some(own) = own(who, family) else {
            return Ok(());
        };
        let dice = &mut Dice(seed);
        let changes = Changes::between(&before, &after, &[endpoint_id(who)], family);
        let peers = ADDRESSES.concat();
        let mut peers: Vec<IpAddr> = hosts::of_family(&peers, family);
        peers.extend(hosts::of_family(&BEYOND, family));
        for peer in peers.into_iter().filter(|peer| *peer != own) {
            for direction in [Direction::In, Direction::Out] {
                let (source, destination) = match direction {
                    Direction::In => (peer, own),
                    Direction::Out => (own, peer),
                };
                let mut all = changes.changes.iter();
                let change = all.find(|change| change.direction == direction);
                for _ in 0..8 {
                    let flow = hosts::between(&WORDS, dice, source, destination);
                    let answers = [&one, &other].map(|host| host.answer(who, direction, &flow));
                    let said = change.map(|change| {
                        [change.opened, change.closed].map(|set| changes.space.contains(set, &flow))
                    });
                    compare(
                        said,
                        answers.each_ref().map(|answer| answer.allowed),
                        &flow,
                        met,
                    )?;
                    met.decided(&other, who, &flow, &answers[1]);
                }
            }
        }
        Ok(())
    });
    covers_all(&met);
}
