// SPDX-License-Identifier: MIT OR Apache-2.0
//! One line of tab-separated figures for one rule set: what a verdict, the preparation and a change cost, beside a linear scan.
//!
//! `cargo bench -p hcn-engine --bench acl -- measure SKEW RULES`; `write SKEW RULES DIRECTORY` writes the same rules and packets as ClassBench's texts,
//! which other programs read; `plot FILE DIRECTORY` draws the lines that were collected. `crates/hcn-engine/bench/acl.sh` runs them and a peer. Without
//! arguments it measures the smallest set.

mod plot;
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

use hcn_engine::classifier::{Classifier, Conditions, LiveClassifier, Packet};
use quiet::nanoseconds;
use skews::{Filter, SKEWS, Skew};

/// Of a line; the peer's are added by the script.
const COLUMNS: [&str; 13] = [
    "skew",
    "rules",
    "verdict ns",
    "linear scan ns",
    "build ms",
    "index bytes",
    "change us median",
    "change us mean",
    "change us worst",
    "verdict after changes ns",
    "rte_acl scalar ns",
    "rte_acl avx2 ns",
    "rte_acl bytes",
];

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
        (Some("header"), None, ..) => {
            println!("{}", COLUMNS.join("\t"));
            Ok(())
        }
        (Some("plot"), Some(from), Some(to), None) => plot::write(Path::new(from), Path::new(to)),
        _ => Err(
            "measure SKEW RULES, write SKEW RULES DIRECTORY, header, or plot FILE DIRECTORY".into(),
        ),
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
    let changes = changes(skew, count)?;
    println!(
        "{}\t{count}\t{verdict:.1}\t{linear:.0}\t{:.2}\t{}\t{:.2}\t{:.2}\t{:.0}\t{:.1}",
        skew.name,
        build.as_secs_f64() * 1e3,
        classifier.index_bytes(),
        changes.median_us,
        changes.mean_us,
        changes.worst_us,
        changes.verdict_ns,
    );
    Ok(())
}

/// What it costs that a rule comes or goes.
struct Changes {
    median_us: f64,
    mean_us: f64,
    worst_us: f64,
    /// A verdict when half as many rules as there were have come.
    verdict_ns: f64,
}

/// Half as many rules come as there are, one by one, anywhere in the order, and go again in another order.
fn changes(skew: &Skew, count: usize) -> Result<Changes, Box<dyn Error>> {
    let filters = skews::filters(skew, count + count / 2);
    let ranked = (0u64..).zip(filters.iter().map(skews::conditions::<u32>));
    let (mut come, there): (Vec<_>, Vec<_>) = ranked.partition(|(rank, _)| rank % 3 == 2);
    // An order that is not the rules' own: the number of each, with its bits turned around.
    come.sort_by_key(|(rank, _)| rank.reverse_bits());
    let mut live = LiveClassifier::compile(there);
    let mut took = Vec::with_capacity(2 * come.len());
    let ranks: Vec<u64> = come.iter().map(|(rank, _)| *rank).collect();
    for (rank, conditions) in come {
        let start = Instant::now();
        let is_in = live.insert(rank, conditions);
        took.push(start.elapsed());
        if !is_in {
            return Err(format!("rank {rank} was taken").into());
        }
    }
    let packets: Vec<Packet<u32>> = skews::trace(&filters, 20_000)
        .iter()
        .map(skews::packet)
        .collect();
    let rules: Vec<Conditions<u32>> = live.rules().map(|(_, rule)| rule.clone()).collect();
    for packet in &packets[..1_000] {
        let (found, expected) = (live.first(packet), scan(&rules, packet));
        if found != expected.map(u64::from) {
            return Err(format!("{packet:?}: {found:?} and not {expected:?}").into());
        }
    }
    let verdict_ns = nanoseconds(&packets, |packet| {
        black_box(live.first(black_box(packet)));
    });
    for rank in ranks.iter().rev() {
        let start = Instant::now();
        let gone = live.remove(*rank);
        took.push(start.elapsed());
        if gone.is_none() {
            return Err(format!("rank {rank} was gone").into());
        }
    }
    took.sort_unstable();
    let microseconds = |time: Duration| time.as_secs_f64() * 1e6;
    Ok(Changes {
        median_us: microseconds(took[took.len() / 2]),
        mean_us: microseconds(took.iter().sum()) / took.len() as f64,
        worst_us: microseconds(took[took.len() - 1]),
        verdict_ns,
    })
}
