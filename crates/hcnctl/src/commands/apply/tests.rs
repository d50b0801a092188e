// SPDX-License-Identifier: MIT OR Apache-2.0
//! `apply` then `plan` is empty: random policy files, as text, on an embedded HNS whose endpoints have rules of strangers and of other policies.
//!
//! Everything is the real way: the file's bytes, names and selectors, the plan, the batch, the journal, the store, and reading back. Whom a name
//! means is written down by hand beside it, and what a file means is read from the top, as docs/apply.md has it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    thread,
};

use hcn::{
    Target,
    schema::{Query, modify::RequestType},
};
use hcn_engine::{Decision, Direction, Flow, Protocol, Switch};
use ipnet::IpNet;
use serde_json::{Value, json};

use super::*;
use crate::desk::DeskOptions;

/// Name, network, addresses; the last one is remote.
const ENDPOINTS: [(&str, &str, &[&str]); 7] = [
    ("web-1", "nat", &["172.20.0.11"]),
    ("web-2", "nat", &["172.20.0.12"]),
    ("db-1", "bridge", &["10.0.0.21", "fd00::21"]),
    ("db-2", "bridge", &["10.0.0.22"]),
    ("cache", "bridge", &["10.0.0.23", "10.0.0.24"]),
    ("lone", "nat", &["172.20.0.99"]),
    ("away", "bridge", &["10.0.0.66"]),
];
const REMOTE: usize = 6;

/// Ways to say whose rules they are, and whom they mean.
const WHOSE: [(&str, &[usize]); 12] = [
    ("web-1", &[0]),
    ("lone", &[5]),
    ("\"web-*\"", &[0, 1]),
    ("{network: nat}", &[0, 1, 5]),
    ("{network: bridge}", &[2, 3, 4]),
    ("{address: 10.0.0.16/29}", &[2, 3, 4]),
    ("{name: \"*-1\"}", &[0, 2]),
    ("{name: \"db-?\", network: bridge}", &[2, 3]),
    ("b0000003", &[2]),
    ("10.0.0.24", &[4]),
    ("{id: b000000}", &[0, 1, 2, 3, 4, 5]),
    ("{address: \"fd00::/64\"}", &[2]),
];

/// Ways to name the other side, and the addresses that are meant; none is anybody.
const PEERS: [(&str, Option<&[&str]>); 10] = [
    ("10.9.0.0/16", Some(&["10.9.0.0/16"])),
    ("192.0.2.7", Some(&["192.0.2.7"])),
    ("\"fd00:1::/64\"", Some(&["fd00:1::/64"])),
    ("web-1", Some(&["172.20.0.11"])),
    ("\"web-*\"", Some(&["172.20.0.11", "172.20.0.12"])),
    (
        "{network: bridge}",
        Some(&[
            "10.0.0.21",
            "fd00::21",
            "10.0.0.22",
            "10.0.0.23",
            "10.0.0.24",
            "10.0.0.66",
        ]),
    ),
    ("db-1", Some(&["10.0.0.21", "fd00::21"])),
    ("b0000007", Some(&["10.0.0.66"])),
    ("{name: \"nobody-*\"}", Some(&[])),
    ("any", None),
];

/// Ways to say what goes through: protocol, and ports of the destination.
const TRAFFIC: [(&str, Option<u8>, (u16, u16)); 8] = [
    ("80/tcp", Some(6), (80, 80)),
    ("81/tcp", Some(6), (81, 81)),
    ("8000-8100/tcp", Some(6), (8000, 8100)),
    ("53/udp", Some(17), (53, 53)),
    ("tcp", Some(6), (0, u16::MAX)),
    ("icmp", Some(1), (0, u16::MAX)),
    ("protocol/47", Some(47), (0, u16::MAX)),
    ("any", None, (0, u16::MAX)),
];

/// Threads among which the cases are dealt out.
const THREADS: u64 = 4;

const POLICIES: [&str; 3] = ["web", "web2", "w.e-b_2"];

/// The same numbers in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    fn is(&mut self, one_in: usize) -> bool {
        self.roll(one_in) == 0
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

struct Rule {
    allows: bool,
    direction: Direction,
    traffic: Vec<(Option<u8>, (u16, u16))>,
    peers: Option<Vec<IpNet>>,
}

/// A policy: its text, and what it means.
struct Policy {
    name: &'static str,
    text: String,
    selected: Vec<usize>,
    rules: Vec<Rule>,
    rest_allows: [bool; 2],
}

impl Policy {
    fn roll(dice: &mut Dice, met: &mut Met) -> Policy {
        let name = dice.one_of(&POLICIES);
        let mut text = format!("apiVersion: hcnctl/v1\nname: {name}\n");
        if dice.is(4) {
            text.push_str("description: \"a policy: of \\\"tests\\\"\" # and a comment\n");
        }
        let mut selected = Vec::new();
        let mut whose = Vec::new();
        for _ in 0..=dice.roll(2) {
            let (words, meant) = dice.one_of(&WHOSE);
            whose.push(words);
            selected.extend(meant);
            met.note(words);
        }
        selected.sort_unstable();
        selected.dedup();
        match whose[..] {
            [one] => writeln!(text, "endpoints: {one}").unwrap(),
            _ => writeln!(text, "endpoints: [{}]", whose.join(", ")).unwrap(),
        }
        let rest_allows = [!dice.is(3), !dice.is(3)];
        let word = |allows| if allows { "allow" } else { "deny" };
        match rest_allows[0] == rest_allows[1] && dice.is(2) {
            true => writeln!(text, "otherwise: {}", word(rest_allows[0])).unwrap(),
            false => {
                let [inward, outward] = rest_allows.map(word);
                writeln!(text, "otherwise: {{in: {inward}, out: {outward}}}").unwrap();
            }
        }
        let mut rules = Vec::new();
        let mut priority = 0;
        for number in 0..dice.roll(4) {
            if number == 0 {
                text.push_str("rules:\n");
            }
            let allows = dice.is(2);
            let direction = dice.one_of(&[Direction::In, Direction::Out]);
            let (action, side) = (
                if allows { "allow" } else { "block" },
                direction.to_string().to_lowercase(),
            );
            writeln!(
                text,
                "- name: r{number}\n  action: {action}\n  direction: {side}"
            )
            .unwrap();
            let mut traffic = Vec::new();
            let ports: Vec<&str> = (0..dice.roll(4))
                .map(|_| {
                    let (words, protocol, ports) = dice.one_of(&TRAFFIC);
                    traffic.push((protocol, ports));
                    met.note(words);
                    words
                })
                .collect();
            match ports[..] {
                [] => traffic.push((None, (0, u16::MAX))),
                [one] => writeln!(text, "  ports: {one}").unwrap(),
                _ => writeln!(text, "  ports: [{}]", ports.join(", ")).unwrap(),
            }
            let mut peers = Some(Vec::new());
            let named: Vec<&str> = (0..dice.roll(3))
                .map(|_| {
                    let (words, meant) = dice.one_of(&PEERS);
                    met.note(words);
                    match (meant, &mut peers) {
                        (Some(meant), Some(peers)) => {
                            peers.extend(meant.iter().map(|text| net(text)))
                        }
                        _ => peers = None,
                    }
                    words
                })
                .collect();
            let key = if direction == Direction::In {
                "from"
            } else {
                "to"
            };
            match named[..] {
                [] => peers = None,
                [one] => writeln!(text, "  {key}: {one}").unwrap(),
                _ => writeln!(text, "  {key}:\n  - {}", named.join("\n  - ")).unwrap(),
            }
            // A priority that the file says itself leaves room below the rules above, which have 2500 and a few more unless they say.
            if dice.is(4) {
                priority = match (priority, number) {
                    (0, 0) => 1,
                    (0, _) => 2600,
                    (above, _) => above + 5 + dice.roll(300),
                };
                writeln!(text, "  priority: {priority}").unwrap();
            }
            rules.push(Rule {
                allows,
                direction,
                traffic,
                peers,
            });
        }
        Policy {
            name,
            text,
            selected,
            rules,
            rest_allows,
        }
    }

    /// Read from the top: the first rule that matches a packet decides.
    fn allows(&self, direction: Direction, flow: &Flow) -> bool {
        let remote = match direction {
            Direction::In => flow.source,
            Direction::Out => flow.destination,
        };
        let decides = |rule: &&Rule| {
            let goes = |(protocol, (first, last)): &(Option<u8>, (u16, u16))| {
                protocol.is_none_or(|own| own == flow.protocol.0)
                    && ((*first, *last) == (0, u16::MAX)
                        || (*first..=*last).contains(&flow.destination_port))
            };
            let names = |peers: &Vec<IpNet>| peers.iter().any(|peer| peer.contains(&remote));
            rule.direction == direction
                && rule.traffic.iter().any(goes)
                && rule.peers.as_ref().is_none_or(names)
        };
        match self.rules.iter().find(decides) {
            Some(rule) => rule.allows,
            None => self.rest_allows[usize::from(direction == Direction::Out)],
        }
    }

    /// In one of the encodings that a file may have.
    fn bytes(&self, dice: &mut Dice) -> Vec<u8> {
        match dice.roll(8) {
            0 => {
                let units = std::iter::once(0xfeff).chain(self.text.encode_utf16());
                units.flat_map(u16::to_le_bytes).collect()
            }
            1 => self.text.replace('\n', "\r\n").into_bytes(),
            _ => self.text.clone().into_bytes(),
        }
    }
}

fn net(text: &str) -> IpNet {
    match text.parse() {
        Ok(net) => net,
        Err(_) => IpNet::from(text.parse::<IpAddr>().unwrap()),
    }
}

#[derive(Debug, Default)]
struct Met(BTreeMap<&'static str, u32>);

impl Met {
    fn note(&mut self, what: &'static str) {
        self.count(what, 1);
    }

    fn count(&mut self, what: &'static str, times: usize) {
        *self.0.entry(what).or_default() += times as u32;
    }

    fn has(&self, what: &'static str, least: u32) {
        let times = self.0.get(what).copied().unwrap_or_default();
        assert!(times >= least, "{what}: {times} of {self:#?}");
    }
}

/// Policies of strangers, some with an `Id` that looks almost like ours, and of block and allow.
fn strangers(dice: &mut Dice) -> Vec<Value> {
    (0..dice.roll(4))
        .map(|number| {
            let priority = 100 + 1000 * number + dice.roll(900);
            match dice.roll(6) {
                0 => json!({"Type": "TierAcl", "Settings": {"Name": "t", "Direction": "In", "Order": priority, "TierAclRules": [
                    {"TierAclRuleAction": "Pass", "Priority": 1},
                ]}}),
                1 => json!({"Type": "ACL", "Settings": {"Action": "Block", "Direction": "Out", "RuleType": "Host", "Priority": priority, "Protocols": "6"}}),
                2 => json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Priority": priority, "Id": "hcnctl:in:6:80:any", "Protocols": "6", "LocalPorts": "80"}}),
                3 => json!({"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "RuleType": "Switch", "Priority": priority, "Id": "apply:web:x", "Mystery": 1}}),
                4 => json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "Out", "RuleType": "Switch", "Priority": priority, "RemoteAddresses": "10.0.0.0/8"}}),
                _ => json!({"Type": "L4Proxy", "Settings": {"Port": format!("{}", 15_000 + priority), "Protocol": "6"}}),
            }
        })
        .collect()
}

/// A folder without a disk behind it, where there is one: each change of the store waits for the disk.
fn folder(thread: u64) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    base.join(format!("hcnctl-apply-{}-{thread}", std::process::id()))
}

fn make(desk: &Desk<'_>) -> Vec<ObjectId> {
    let create = |name: &str, settings: Value| {
        desk.client()
            .create_network(&settings.to_string())
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let subnet = |prefix: &str, gateway: &str, any: &str| json!({"IpAddressPrefix": prefix, "Routes": [{"NextHop": gateway, "DestinationPrefix": any}]});
    let nat = create(
        "nat",
        json!({
            "Name": "nat", "Type": "NAT", "SchemaVersion": {"Major": 2, "Minor": 0},
            "Ipams": [{"Type": "Static", "Subnets": [subnet("172.20.0.0/16", "172.20.0.1", "0.0.0.0/0")]}],
        }),
    );
    let bridge = create(
        "bridge",
        json!({
            "Name": "bridge", "Type": "L2Bridge", "SchemaVersion": {"Major": 2, "Minor": 0},
            "Ipams": [{"Type": "Static", "Subnets": [subnet("10.0.0.0/24", "10.0.0.1", "0.0.0.0/0"), subnet("fd00::/64", "fd00::1", "::/0")]}],
        }),
    );
    ENDPOINTS
        .iter()
        .enumerate()
        .map(|(place, (name, network, addresses))| {
            let configurations: Vec<Value> = addresses.iter().map(|address| json!({"IpAddress": address})).collect();
            let id = format!("b00000{:02x}-0000-4000-8000-000000000000", place + 1);
            let settings = json!({
                "Name": name, "SchemaVersion": {"Major": 2, "Minor": 0}, "IpConfigurations": configurations,
                "Flags": u32::from(place == REMOTE),
                "MacAddress": format!("00-15-5D-00-00-{:02X}", place + 1),
            });
            let network = if *network == "nat" { nat } else { bridge };
            let id = id.parse().unwrap();
            let object = ObjectId { kind: Kind::Endpoint, id };
            desk.client().hns().create(Kind::Endpoint, Some(network), id, &settings.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
            object
        })
        .collect()
}

/// The policies of each endpoint, as HNS tells them; the endpoints come in the order in which they were made.
fn policies(desk: &Desk<'_>) -> Vec<Vec<Value>> {
    let documents = desk
        .client()
        .hns()
        .list(Kind::Endpoint, &Query::v2().text());
    let of = |document: &String| {
        let mut document: Value = serde_json::from_str(document).unwrap();
        match document["Policies"].take() {
            Value::Array(policies) => policies,
            _ => Vec::new(),
        }
    };
    documents.unwrap().iter().map(of).collect()
}

/// Whether a rule is of the policy; told by its `Id` (docs/apply.md).
fn is_of(policy: &str, rule: &Value) -> bool {
    let id = rule["Settings"]["Id"].as_str();
    id.is_some_and(|id| id.starts_with(&format!("hcnctl:apply:{policy}:")))
}

/// What is not the policy's, each sort in its order: what an Update replaces, and the rest.
fn others(policy: &str, policies: &[Value]) -> [Vec<Value>; 2] {
    let others = policies.iter().filter(|own| !is_of(policy, own)).cloned();
    let (replaced, rest) = others.partition(|own| {
        ["ACL", "TierAcl", "L4Proxy", "L4WFPPROXY"].contains(&own["Type"].as_str().unwrap())
    });
    [replaced, rest]
}

/// Whether the packets of an endpoint on which nobody else has rules fare as the file says.
fn means_what_it_says(
    policy: &Policy,
    switch: &Switch,
    endpoint: usize,
    id: hcn::schema::Guid,
    dice: &mut Dice,
    met: &mut Met,
) {
    const ELSEWHERE: [&str; 7] = [
        "10.9.1.1",
        "10.10.0.0",
        "192.0.2.7",
        "192.0.2.8",
        "fd00:1::5",
        "fd00:2::5",
        "172.20.0.12",
    ];
    let own: Vec<IpAddr> = ENDPOINTS[endpoint]
        .2
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    let port = switch.port_of(id).unwrap();
    let peers = ENDPOINTS
        .iter()
        .flat_map(|(_, _, addresses)| addresses.iter());
    let peers: Vec<IpAddr> = peers
        .chain(&ELSEWHERE)
        .map(|text| text.parse().unwrap())
        .collect();
    for _ in 0..12 {
        let local = dice.one_of(&own);
        let remote = dice.one_of(&peers);
        if own.contains(&remote) || remote.is_ipv4() != local.is_ipv4() {
            continue;
        }
        let direction = dice.one_of(&[Direction::In, Direction::Out]);
        let (source, destination) = match direction {
            Direction::In => (remote, local),
            Direction::Out => (local, remote),
        };
        let flow = Flow {
            source,
            destination,
            protocol: Protocol(dice.one_of(&[6, 6, 17, 1, 47, 50])),
            source_port: 49_152,
            destination_port: dice.one_of(&[53, 79, 80, 81, 82, 7999, 8000, 8100, 8101]),
        };
        let is_allowed = switch.rule(port, direction, &flow).decision == Decision::Allow;
        assert_eq!(
            is_allowed,
            policy.allows(direction, &flow),
            "{direction:?} {flow:?} at {} by\n{}",
            ENDPOINTS[endpoint].0,
            policy.text
        );
        met.note(if is_allowed {
            "packets that pass"
        } else {
            "packets that are dropped"
        });
    }
}

fn source(file: Option<&Path>, remove: Option<&str>, output: ProbeOutput) -> PolicySource {
    PolicySource {
        file: file.map(Path::to_owned),
        remove: remove.map(str::to_owned),
        expect_no_new_access: false,
        output,
    }
}

fn apply(desk: &mut Desk<'_>, source: PolicySource) -> u8 {
    let args = ApplyArgs {
        source,
        confirm_within: None,
        recover: false,
        discard: None,
        guard: None,
    };
    run(desk, &args).unwrap_or_else(|failure| panic!("{failure:?}"))
}

/// A store of its own, and as many policies one after the other.
fn applies(thread: u64, seed: u64, cases: u64) -> Met {
    let mut dice = Dice(seed.wrapping_mul(THREADS).wrapping_add(thread));
    let mut met = Met::default();
    let folder = folder(thread);
    let file = folder.join("policy.yaml");
    let (mut out, mut words) = (io::sink(), io::sink());
    let options = DeskOptions {
        target: Target::Embedded(Some(folder.clone())),
        state: None,
        profile: Default::default(),
        dry_run: false,
        actor: "a test".to_owned(),
    };
    let mut desk = Desk::open(options, &mut out, &mut words, None).unwrap();
    let endpoints = make(&desk);
    let mut last: Option<Policy> = None;
    for case in 0..cases {
        // Others come and go; an Update of theirs takes our rules away.
        let is_quiet = dice.is(3);
        for _ in 0..if is_quiet { 0 } else { 1 + dice.roll(2) } {
            let place = dice.roll(REMOTE);
            let request = json!({"ResourceType": "Policy", "RequestType": RequestType::Update.text(), "Settings": {"Policies": strangers(&mut dice)}});
            desk.client()
                .hns()
                .modify(endpoints[place], &request.to_string())
                .unwrap_or_else(|error| panic!("{request}: {error}"));
        }
        let before = policies(&desk);
        let policy = Policy::roll(&mut dice, &mut met);
        let is_removal = dice.is(16);
        fs::write(&file, policy.bytes(&mut dice)).unwrap();
        let output = if dice.is(8) {
            ProbeOutput::Text
        } else {
            ProbeOutput::Json
        };
        let told = || match is_removal {
            true => source(None, Some(policy.name), output),
            false => source(Some(&file), None, output),
        };
        let has_rules =
            |all: &[Vec<Value>]| all.iter().flatten().any(|own| is_of(policy.name, own));
        if is_removal && !has_rules(&before) {
            // Of a policy that nobody has nothing can be taken away, and that is told.
            assert!(matches!(
                draft(&mut desk, &wish(&told()).unwrap()),
                Err(Failure::Absent(_))
            ));
            met.note("removals of what is not there");
            last = None;
            continue;
        }
        assert_eq!(
            apply(&mut desk, told()),
            exit::DONE,
            "case {case}\n{}",
            policy.text
        );
        let after = policies(&desk);

        match draft(&mut desk, &wish(&told()).unwrap()) {
            Ok(again) => {
                let requests: Vec<_> = again.steps.iter().map(|step| step.plan.request()).collect();
                assert!(
                    requests.is_empty(),
                    "case {case}: {requests:?} after\n{}",
                    policy.text
                );
            }
            Err(failure) => assert!(
                is_removal && matches!(failure, Failure::Absent(_)) && !has_rules(&after),
                "case {case}\n{}",
                policy.text
            ),
        }

        let mut changed = 0;
        for (place, (before, after)) in before.iter().zip(&after).enumerate() {
            assert_eq!(
                others(policy.name, before),
                others(policy.name, after),
                "case {case}: {}\n{}",
                ENDPOINTS[place].0,
                policy.text
            );
            let own: Vec<&Value> = after.iter().filter(|own| is_of(policy.name, own)).collect();
            let had = before.iter().any(|own| is_of(policy.name, own));
            changed += usize::from(before != after);
            if is_removal || !policy.selected.contains(&place) {
                assert_eq!(
                    own,
                    Vec::<&Value>::new(),
                    "case {case}: {}\n{}",
                    ENDPOINTS[place].0,
                    policy.text
                );
                met.count(
                    if is_removal {
                        "endpoints that a removal cleared"
                    } else {
                        "endpoints that were selected no more"
                    },
                    usize::from(had),
                );
            }
            met.count(
                "rules with what HNS adds",
                own.iter()
                    .filter(|own| own["Settings"].get("Scope").is_some())
                    .count(),
            );
            met.count(
                "endpoints among rules of others",
                usize::from(!own.is_empty() && own.len() < after.len()),
            );
        }
        met.note("applies");
        met.note(match changed {
            0 => "applies that change nothing",
            1 => "applies that change one endpoint",
            _ => "applies that change several endpoints",
        });
        // What it means is asked of one case in four.
        if !is_removal && case.is_multiple_of(4) {
            let documents = desk.connection().embedded().unwrap().documents().unwrap();
            let semantics = desk.connection().profile().unwrap().semantics;
            let (switch, _) = Switch::compile(&documents, &semantics);
            for place in &policy.selected {
                if after[*place].iter().all(|own| is_of(policy.name, own)) {
                    means_what_it_says(
                        &policy,
                        &switch,
                        *place,
                        endpoints[*place].id,
                        &mut dice,
                        &mut met,
                    );
                }
            }
        }
        // Another policy came, nothing else: the earlier one needs no change either.
        if let Some(last) = last.filter(|last| is_quiet && last.name != policy.name) {
            let read = policy_file::read_bytes(last.text.as_bytes()).unwrap();
            let again = draft(&mut desk, &Wish::File(String::new(), read)).unwrap();
            assert!(
                again.steps.is_empty(),
                "case {case}: {}\nafter\n{}",
                last.text,
                policy.text
            );
            met.note("earlier policies that need no change");
        }
        last = (!is_removal).then_some(policy);
    }
    assert!(Journals::of(desk.target()).all_left().unwrap().is_empty());
    drop(desk);
    fs::remove_dir_all(&folder).unwrap();
    met
}

#[test]
fn what_is_applied_needs_no_change() {
    // The same cases in every run, since what has to be met is counted; the variables are those of proptest.
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let cases = number("PROPTEST_CASES").unwrap_or(10_000);
    let seed = number("PROPTEST_RNG_SEED").unwrap_or(5);
    let mut met = Met::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            // A tenth are removals of what is not there.
            .map(|thread| {
                scope.spawn(move || applies(thread, seed, (cases + cases / 10).div_ceil(THREADS)))
            })
            .collect();
        for thread in threads {
            for (what, times) in thread.join().unwrap().0 {
                met.count(what, times as usize);
            }
        }
    });
    met.has("applies", cases as u32);
    met.has("removals of what is not there", cases as u32 / 100);
    let words = WHOSE.iter().map(|(words, _)| *words);
    let words = words.chain(PEERS.iter().map(|(words, _)| *words));
    for words in words.chain(TRAFFIC.iter().map(|(words, _, _)| *words)) {
        met.has(words, 500);
    }
    for (what, least) in [
        ("applies that change one endpoint", 1_000),
        ("applies that change several endpoints", 3_000),
        ("applies that change nothing", 100),
        ("endpoints that were selected no more", 1_000),
        ("endpoints that a removal cleared", 100),
        ("endpoints among rules of others", 3_000),
        ("rules with what HNS adds", 10_000),
        ("earlier policies that need no change", 500),
        ("packets that pass", 1_000),
        ("packets that are dropped", 1_000),
    ] {
        met.has(what, least);
    }
}
