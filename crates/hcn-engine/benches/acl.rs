// SPDX-License-Identifier: MIT OR Apache-2.0
//! One line of tab-separated figures for one rule set: what a verdict, the preparation and a change cost, beside a linear scan.
//!
//! `cargo bench -p hcn-engine --bench acl -- measure SKEW RULES`, or `write SKEW RULES DIRECTORY` for the same rules and packets as ClassBench's texts, which
//! other programs read. `crates/hcn-engine/bench/acl.sh` runs both and a peer. Without arguments it measures the smallest set.

mod quiet;
mod skews;

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    hint::black_box,
    net::Ipv4Addr,
    path::Path,
    time::{Duration, Instant},
};

use hcn_engine::classifier::{Classifier, Conditions, Packet};
use quiet::nanoseconds;
use skews::{Filter, SKEWS, Skew};

/// As many as the peer is given.
const PACKETS: usize = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut words = arguments.iter().map(String::as_str);
    let mut words = words.by_ref().filter(|word| !word.starts_with("--"));
    match (words.next(), words.next(), words.next(), words.next()) {
        (None, ..) => measure(&SKEWS[0], 1_000),
        (Some("measure"), Some(name), Some(count), None) => measure(skew(name)?, count.parse()?),
        (Some("write"), Some(name), Some(count), Some(to)) => {
            write(skew(name)?, count.parse()?, Path::new(to))
        }
        _ => Err("measure SKEW RULES, or write SKEW RULES DIRECTORY".into()),
    }
}

fn skew(name: &str) -> Result<&'static Skew, String> {
    let known = SKEWS.iter().find(|skew| skew.name == name);
    known.ok_or_else(|| format!("{name} is none of acl1, fw1 and ipc1"))
}

fn write(skew: &Skew, count: usize, to: &Path) -> Result<(), Box<dyn Error>> {
    let filters = skews::filters(skew, count);
    let mut rules = String::new();
    for filter in &filters {
        let Filter {
            source,
            destination,
            source_ports,
            destination_ports,
            protocol,
        } = filter;
        let mask = if *protocol == 0 { 0 } else { 255 };
        writeln!(
            rules,
            "@{}/{}\t{}/{}\t{} : {}\t{} : {}\t{protocol:#04x}/{mask:#04x}",
            Ipv4Addr::from(source.0),
            source.1,
            Ipv4Addr::from(destination.0),
            destination.1,
            source_ports.0,
            source_ports.1,
            destination_ports.0,
            destination_ports.1,
        )?;
    }
    let mut trace = String::new();
    for header in skews::trace(&filters, PACKETS) {
        writeln!(
            trace,
            "{}\t{}\t{}\t{}\t{}",
            header.source,
            header.destination,
            header.source_port,
            header.destination_port,
            header.protocol
        )?;
    }
    fs::write(to.join("rules"), rules)?;
    fs::write(to.join("trace"), trace)?;
    // What is expected of each packet: the number of the rule that decides, from 1, and 0 for none.
    let conditions: Vec<Conditions<u32>> = filters.iter().map(skews::conditions).collect();
    let classifier = Classifier::compile(conditions);
    let mut answers = String::new();
    for header in skews::trace(&filters, PACKETS) {
        let first = classifier.first(&skews::packet(&header));
        writeln!(answers, "{}", first.map_or(0, |place| place + 1))?;
    }
    fs::write(to.join("answers"), answers)?;
    Ok(())
}

fn scan(rules: &[Conditions<u32>], packet: &Packet<u32>) -> Option<u32> {
    let place = rules.iter().position(|rule| rule.matches(packet));
    place.map(|place| place as u32)
}

fn measure(skew: &Skew, count: usize) -> Result<(), Box<dyn Error>> {
    let filters = skews::filters(skew, count);
    let rules: Vec<Conditions<u32>> = filters.iter().map(skews::conditions).collect();
    let packets: Vec<Packet<u32>> = skews::trace(&filters, PACKETS)
        .iter()
        .map(skews::packet)
        .collect();
    let mut build = Duration::MAX;
    for _ in 0..3 {
        let rules = rules.clone();
        let start = Instant::now();
        black_box(Classifier::compile(rules));
        build = build.min(start.elapsed());
    }
    let classifier = Classifier::compile(rules.clone());
    // A scan of many rules takes long: fewer packets do.
    let scanned = &packets[..(20_000_000 / count).clamp(2_000, PACKETS)];
    for packet in scanned {
        let (found, expected) = (classifier.first(packet), scan(&rules, packet));
        if found != expected {
            return Err(format!("{packet:?}: {found:?} and not {expected:?}").into());
        }
    }
    let verdict = nanoseconds(&packets, |packet| {
        black_box(classifier.first(black_box(packet)));
    });
    let linear = nanoseconds(scanned, |packet| {
        black_box(scan(&rules, black_box(packet)));
    });
    println!(
        "{}\t{count}\t{verdict:.1}\t{linear:.0}\t{:.2}\t{}",
        skew.name,
        build.as_secs_f64() * 1e3,
        classifier.index_bytes(),
    );
    Ok(())
}
