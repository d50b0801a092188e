// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classifier against trying every rule, on the rule sets and packets that the benchmark measures, in both families.

#[path = "../benches/skews.rs"]
mod skews;

use hcn_engine::classifier::{Classifier, Conditions};
use skews::{SKEWS, Skew, Skewed};

fn every_packet_is_judged_as_by_a_scan<A: Skewed>(skew: &Skew, count: usize) {
    let filters = skews::filters(skew, count);
    let rules: Vec<Conditions<A>> = filters.iter().map(skews::conditions).collect();
    let classifier = Classifier::compile(rules.clone());
    let mut deciding = std::collections::HashSet::new();
    for header in skews::trace(&filters, 10_000) {
        let packet = skews::packet::<A>(&header);
        let scanned = rules.iter().position(|rule| rule.matches(&packet));
        let scanned = scanned.map(|place| place as u32);
        assert_eq!(
            classifier.first(&packet),
            scanned,
            "{}: {packet:?}",
            skew.name
        );
        deciding.extend(scanned);
    }
    // Each packet is made from a rule, so a rule decides it; and many different ones do.
    assert!(
        deciding.len() > count / 3,
        "{} rules decide",
        deciding.len()
    );
}

#[test]
fn a_thousand_rules_of_each_skew_decide_each_packet_as_a_scan_does() {
    for skew in &SKEWS {
        every_packet_is_judged_as_by_a_scan::<u32>(skew, 1_000);
        every_packet_is_judged_as_by_a_scan::<u128>(skew, 1_000);
    }
}

#[test]
fn rules_that_stand_by_address_decide_as_a_scan_does() {
    // More than 2,048, from where on the classifier does not keep the order of the rules.
    for skew in &SKEWS {
        every_packet_is_judged_as_by_a_scan::<u32>(skew, 3_000);
        every_packet_is_judged_as_by_a_scan::<u128>(skew, 3_000);
    }
}
