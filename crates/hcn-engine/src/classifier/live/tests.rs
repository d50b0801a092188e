// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules that come and go, against a classifier that is made anew and against trying every rule.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::Index as Pick};

use crate::classifier::{Classifier, Conditions, LiveClassifier, tests as random};

/// A change: a rule with a rank that comes, or one that goes.
#[derive(Clone, Debug)]
enum Step {
    Comes(u64, Box<Conditions<u32>>),
    Goes(Pick),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..2_000u64, random::conditions()).prop_map(|(rank, rule)| Step::Comes(rank, Box::new(rule))),
        2 => any::<Pick>().prop_map(Step::Goes),
    ]
}

/// The same conditions in the wider family.
fn widened(rule: &Conditions<u32>) -> Conditions<u128> {
    Conditions {
        protocols: rule.protocols,
        local: random::widened(&rule.local),
        remote: random::widened(&rule.remote),
        local_ports: rule.local_ports.clone(),
        remote_ports: rule.remote_ports.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn after_any_changes_the_answers_are_those_of_a_classifier_made_anew(
        first in vec(random::conditions(), 0..30),
        steps in vec(step(), 1..24),
        packets in vec((random::packet(), any::<Pick>(), any::<bool>()), 1..6),
    ) {
        let mut known: BTreeMap<u64, Conditions<u32>> = (0..).step_by(60).zip(first).collect();
        let mut live = LiveClassifier::compile(known.clone());
        let mut live_v6 = LiveClassifier::compile(known.iter().map(|(rank, rule)| (*rank, widened(rule))));
        for step in steps {
            match step {
                Step::Comes(rank, rule) => {
                    let is_new = !known.contains_key(&rank);
                    prop_assert_eq!(live.insert(rank, (*rule).clone()), is_new);
                    prop_assert_eq!(live_v6.insert(rank, widened(&rule)), is_new);
                    known.entry(rank).or_insert(*rule);
                }
                Step::Goes(pick) if !known.is_empty() => {
                    let rank = *known.keys().nth(pick.index(known.len())).expect("a rank that is there");
                    prop_assert_eq!(live.remove(rank), known.remove(&rank));
                    prop_assert!(live_v6.remove(rank).is_some());
                    prop_assert_eq!(live.remove(rank), None);
                }
                Step::Goes(_) => {}
            }
        }
        let ranks: Vec<u64> = known.keys().copied().collect();
        let rules: Vec<Conditions<u32>> = known.values().cloned().collect();
        prop_assert_eq!(live.len(), rules.len());
        let anew = Classifier::compile(rules.clone());
        for (packet, pick, end) in packets {
            let mut tried = vec![packet];
            if !rules.is_empty() {
                tried.push(random::aimed(pick.get(&rules), &packet, end, 0));
            }
            for packet in tried {
                let scanned = random::by_scan(&rules, &packet).map(|place| ranks[place as usize]);
                prop_assert_eq!(anew.first(&packet).map(|place| ranks[place as usize]), scanned);
                prop_assert_eq!(live.first(&packet), scanned, "{:?}", packet);
                prop_assert_eq!(live_v6.first(&random::widened_packet(&packet)), scanned, "{:?}", packet);
            }
        }
    }
}

proptest! {
    // Enough rules for chunks, for bits that stand by address, and for bases that are made anew on the way.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(50) })]

    #[test]
    fn many_rules_come_and_go(
        some in vec(random::conditions(), 300),
        size in prop::sample::select(vec![70u64, 600, 2_100, 2_600]),
        steps in vec(step(), 1_200),
        packets in vec((random::packet(), any::<Pick>(), any::<bool>()), 100),
    ) {
        let rule = |number: u64| random::moved(&some[number as usize % some.len()], (number / 300) as u32);
        let mut known: BTreeMap<u64, Conditions<u32>> = (0..size).map(|number| (number * 10, rule(number))).collect();
        let mut live = LiveClassifier::compile(known.clone());
        for step in steps {
            match step {
                Step::Comes(rank, rule) => {
                    // Spread over all of the ranks.
                    let rank = rank * size / 200;
                    live.insert(rank, (*rule).clone());
                    known.entry(rank).or_insert(*rule);
                }
                Step::Goes(pick) => {
                    let rank = *known.keys().nth(pick.index(known.len())).expect("a rank that is there");
                    prop_assert_eq!(live.remove(rank), known.remove(&rank));
                }
            }
        }
        let ranks: Vec<u64> = known.keys().copied().collect();
        let rules: Vec<Conditions<u32>> = known.values().cloned().collect();
        for (packet, pick, end) in packets {
            for packet in [packet, random::aimed(pick.get(&rules), &packet, end, 0)] {
                let scanned = random::by_scan(&rules, &packet).map(|place| ranks[place as usize]);
                prop_assert_eq!(live.first(&packet), scanned, "{:?}", packet);
            }
        }
    }
}
