// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random documents with a trouble of each kind that has a fix: the fix removes its finding, and where it says that no flow changes, none does.
//!
//! What a fix says of flows was worked out by the engine, as sets of packets. It is held against a second reading of the documents, packet by
//! packet at the edges of the rules; where flows are said to change, the reading has to see the packet change that the engine names.

use std::{cell::RefCell, collections::BTreeMap, net::IpAddr, thread};

use hcn_engine::{Decision, Direction, Documents, Family, Flow, PortIndex, Switch, space::Space};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::Value;

use super::{
    packets::{Dice, Edges},
    reading::Port,
    scenes::{Scene, scenes},
    *,
};

/// Packets that are put to the reading for each fix.
const PACKETS: usize = 16;

/// Threads among which the cases are dealt out.
const THREADS: u64 = 4;

/// The same cases in every run, since what has to be met is counted; `PROPTEST_RNG_SEED` gives others, `PROPTEST_CASES` more.
fn runner(thread: u64, cases: u32) -> TestRunner {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let seed = number("PROPTEST_RNG_SEED").unwrap_or(4);
    let cases = number("PROPTEST_CASES").map_or(cases, |cases| cases as u32);
    TestRunner::new(Config {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed.wrapping_mul(THREADS).wrapping_add(thread)),
        cases: cases.div_ceil(THREADS as u32),
        ..Config::default()
    })
}

/// The endpoints' ports by the second reading.
fn read(scene: &Scene, documents: &[Value]) -> [Port; 2] {
    [1, 2].map(|place| {
        Port::of(
            &documents[place],
            Some(&documents[0]),
            scene.network_type,
            &scene.semantics(),
        )
    })
}

fn own_addresses(scene: &Scene, place: usize) -> Vec<IpAddr> {
    let texts: &[&str] = match (place, scene.is_dual) {
        (0, true) => &["10.0.0.1", "fd00::1"],
        (0, false) => &["10.0.0.1"],
        _ => &["10.0.0.2"],
    };
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// A packet that one state of an endpoint lets pass and the other does not, as the engine sees it.
fn difference(before: &Documents, after: &Documents, scene: &Scene) -> Option<(Direction, Flow)> {
    let compile = |documents| Switch::compile(documents, &scene.semantics()).0;
    let (before, after) = (compile(before), compile(after));
    [Family::V4, Family::V6].into_iter().find_map(|family| {
        let mut space = Space::new(family);
        [Direction::In, Direction::Out]
            .into_iter()
            .find_map(|direction| {
                let one = before.passes(&mut space, PortIndex(0), direction);
                let other = after.passes(&mut space, PortIndex(0), direction);
                let [opened, closed] = [space.minus(other, one), space.minus(one, other)];
                let example = space.example(opened).or_else(|| space.example(closed));
                example.map(|flow| (direction, flow))
            })
    })
}

/// Whether the finding is there no more.
///
/// Where a rule is taken away, the places behind it shift. The same may then be found of a rule that says the same, but only if that one was called
/// a double before, under which nothing else is told of it.
fn is_gone(
    finding: &Finding,
    [found, left]: [&[Finding]; 2],
    [document, edited]: [&Value; 2],
) -> bool {
    let alike =
        |other: &&Finding| other.check.name == finding.check.name && other.object == finding.object;
    let mut left = left.iter().filter(alike);
    match &finding.fix.edits[..] {
        [Edit::Remove(pointer)] => {
            let (parent, place) = pointer.rsplit_once('/').unwrap();
            let place: usize = place.parse().unwrap();
            let own = document.pointer(pointer);
            let before = |after: &str| {
                let shifted = after.strip_prefix(parent).and_then(|rest| {
                    let (number, rest) = match rest[1..].split_once('/') {
                        Some((number, rest)) => (number, format!("/{rest}")),
                        None => (&rest[1..], String::new()),
                    };
                    let number: usize = number.parse().ok()?;
                    Some(format!(
                        "{parent}/{}{rest}",
                        number + usize::from(number >= place)
                    ))
                });
                shifted.unwrap_or_else(|| after.to_owned())
            };
            left.all(|other| {
                let was = before(&other.pointer);
                let known = |check: &str| {
                    found.iter().any(|before| {
                        before.check.name == check
                            && before.object == finding.object
                            && before.pointer == was
                    })
                };
                edited.pointer(&other.pointer) != own
                    || known(finding.check.name)
                    || known("duplicate-rule")
            })
        }
        [Edit::Rename(pointer, key)] => {
            let parent = pointer.rsplit_once('/').unwrap().0;
            let renamed = format!("{parent}/{key}");
            !left.any(|other| other.pointer == *pointer || other.pointer == renamed)
        }
        // A rule for all that no other names: the whole layer is meant, which the finding calls by its first rule. Another layer has its own.
        [Edit::Append(..), ..] => !left.any(|other| other.pointer == finding.pointer),
        // Each odd or dead item of a list is a finding of its own, which tells of the item.
        _ => !left.any(|other| {
            let of_items = ["host-bits", "protocol-name", "partly-shadowed-rule"]
                .contains(&finding.check.name);
            other.pointer == finding.pointer && (!of_items || other.message == finding.message)
        }),
    }
}

/// Errors of a kind that an object did not have before.
fn new_errors(found: &[Finding], left: &[Finding]) -> Vec<(&'static str, String)> {
    let errors = |findings: &[Finding]| -> Vec<(&'static str, String)> {
        let errors = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error);
        errors
            .map(|finding| (finding.check.name, finding.object.to_string()))
            .collect()
    };
    let before = errors(found);
    let mut new = errors(left);
    new.retain(|error| !before.contains(error));
    new
}

/// A JSON Patch applied by the words of RFC 6902.
fn patched(document: &Value, patch: &Value) -> Value {
    fn add(document: &mut Value, path: &str, value: Value) {
        let (parent, key) = path.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        match document.pointer_mut(parent).unwrap() {
            Value::Array(items) if key == "-" => items.push(value),
            Value::Array(items) => items.insert(key.parse().unwrap(), value),
            parent => parent[key] = value,
        }
    }
    fn remove(document: &mut Value, path: &str) -> Value {
        let (parent, key) = path.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        match document.pointer_mut(parent).unwrap() {
            Value::Array(items) => items.remove(key.parse().unwrap()),
            parent => parent.as_object_mut().unwrap().shift_remove(&key).unwrap(),
        }
    }
    let mut document = document.clone();
    for operation in patch.as_array().unwrap() {
        let path = operation["path"].as_str().unwrap();
        match operation["op"].as_str().unwrap() {
            "add" => add(&mut document, path, operation["value"].clone()),
            "remove" => {
                remove(&mut document, path);
            }
            "replace" => *document.pointer_mut(path).unwrap() = operation["value"].clone(),
            "move" => {
                let value = remove(&mut document, operation["from"].as_str().unwrap());
                add(&mut document, path, value);
            }
            other => panic!("{other} is no operation of ours"),
        }
    }
    document
}

/// What was met.
#[derive(Debug, Default)]
struct Met {
    fixes: BTreeMap<(&'static str, Flows), u32>,
    of: BTreeMap<&'static str, u32>,
}

impl Met {
    fn note(&mut self, what: &'static str, is_so: bool) {
        *self.of.entry(what).or_default() += u32::from(is_so);
    }

    fn add(&mut self, other: Met) {
        for (what, times) in other.fixes {
            *self.fixes.entry(what).or_default() += times;
        }
        for (what, times) in other.of {
            *self.of.entry(what).or_default() += times;
        }
    }

    fn scene(&mut self, scene: &Scene, finding: &Finding) {
        let own = &scene.documents[1];
        let has = |document: &Value, policy_type: &str| {
            let policies = document["Policies"].as_array().unwrap();
            policies.iter().any(|policy| policy["Type"] == policy_type)
        };
        self.note(
            "the trouble that was put in",
            finding.check.name == scene.aim,
        );
        self.note("v1", scene.is_v1);
        self.note("two families", scene.is_dual);
        self.note("NAT", scene.network_type == "NAT");
        self.note(
            "NAT without effect",
            scene.network_type == "NAT" && !scene.semantics().acl_on_nat,
        );
        self.note("tiers", has(own, "TierAcl"));
        self.note(
            "rules of the network",
            has(&scene.documents[0], "NetworkACL"),
        );
        self.note(
            "odd semantics",
            scene.semantics()
                != hcn_engine::Semantics {
                    acl_on_nat: scene.semantics().acl_on_nat,
                    ..hcn_engine::Semantics::default()
                },
        );
        self.note("of the network", finding.object.kind == "network");
    }
}

/// One fix of a scene: of the trouble that was put in, where that is what was found.
fn a_fix(scene: &Scene, found: &[Finding], dice: &mut Dice) -> Option<usize> {
    let with_edits = |wanted: &dyn Fn(&Finding) -> bool| -> Vec<usize> {
        let places = found.iter().enumerate();
        let fits = |finding: &Finding| !finding.fix.edits.is_empty() && wanted(finding);
        places
            .filter(|(_, finding)| fits(finding))
            .map(|(place, _)| place)
            .collect()
    };
    let mut places = with_edits(&|finding| finding.check.name == scene.aim);
    if places.is_empty() {
        places = with_edits(&|_| true);
    }
    (!places.is_empty()).then(|| dice.one_of(&places))
}

/// A thread's share of the cases.
fn fixes(thread: u64) -> Met {
    let met = RefCell::new(Met::default());
    runner(thread, 10_100)
        .run(&scenes(), |scene| {
            let mut met = met.borrow_mut();
            let mut dice = Dice(scene.seed);
            let before = scene.subject(&scene.documents);
            let mut found = findings(&before);
            for finding in &found {
                let may = table::PATCHED.contains(&finding.check.name);
                prop_assert!(
                    may || finding.fix.edits.is_empty(),
                    "{}",
                    finding.check.name
                );
            }
            let Some(place) = a_fix(&scene, &found, &mut dice) else {
                return Ok(());
            };
            fix::compare_flows(&before, std::slice::from_mut(&mut found[place]));
            let finding = &found[place];
            let what = format!(
                "{} {}: {:?}",
                finding.check.name, finding.pointer, finding.fix
            );
            let document = before.document(&finding.object).unwrap();
            let edited = finding.fix.applied(document).unwrap();
            prop_assert_eq!(
                &patched(document, &finding.fix.patch(document)),
                &edited,
                "{}",
                what
            );
            let changed = scene
                .documents
                .iter()
                .position(|other| other == document)
                .unwrap();
            let mut documents = scene.documents.clone();
            documents[changed] = edited.clone();
            let after = scene.subject(&documents);
            let left = findings(&after);
            prop_assert!(
                is_gone(finding, [&found, &left], [document, &edited]),
                "{} stays",
                what
            );

            let (was, is) = (read(&scene, &scene.documents), read(&scene, &documents));
            let says = finding.fix.flows;
            // These make HNS read what it did not read before, with whatever is wrong in that.
            let reads_more = ["unknown-policy-type", "misspelt-key", "key-case"];
            if says == Flows::Unchanged && !reads_more.contains(&finding.check.name) {
                let new = new_errors(&found, &left);
                prop_assert!(new.is_empty(), "{} brings {:?}", what, new);
                let removes = |edit: &Edit| matches!(edit, Edit::Remove(_));
                met.note(
                    "errors beside a rule that goes",
                    finding.fix.edits.iter().any(removes)
                        && left.iter().any(|other| other.severity == Severity::Error),
                );
            }
            // What a network's document says is about all of its endpoints.
            let places = if changed == 0 {
                0..2
            } else {
                changed - 1..changed
            };
            for place in places {
                let edges = Edges::of(&own_addresses(&scene, place), [&was[place], &is[place]]);
                let alone = |subject: &Subject| subject.alone(&subject.endpoints[place].document);
                let (switch, _) = Switch::compile(&alone(&before), &scene.semantics());
                for _ in 0..PACKETS {
                    let (direction, flow) = edges.packet(&mut dice);
                    let passes = was[place].passes(direction, &flow);
                    let ruling = switch.rule(PortIndex(0), direction, &flow);
                    prop_assert_eq!(
                        ruling.decision == Decision::Allow,
                        passes,
                        "the engine and the reading differ: {:?} {:?}",
                        direction,
                        flow
                    );
                    let same = is[place].passes(direction, &flow) == passes;
                    met.note("packets", true);
                    met.note("packets that pass", passes);
                    met.note(
                        "packets that meet what was changed",
                        edges.is_met(&was[place], direction, &flow)
                            || edges.is_met(&is[place], direction, &flow),
                    );
                    if says == Flows::Unchanged {
                        prop_assert!(same, "{} changes {:?} {:?}", what, direction, flow);
                    }
                    if says == Flows::Changed {
                        met.note("packets that changed", !same);
                    }
                }
                if says == Flows::Changed {
                    let seen = difference(&alone(&before), &alone(&after), &scene);
                    let Some((direction, flow)) = seen else {
                        return Err(TestCaseError::fail(format!("{what} changes nothing")));
                    };
                    prop_assert_ne!(
                        was[place].passes(direction, &flow),
                        is[place].passes(direction, &flow),
                        "{} does not change {:?} {:?}",
                        what,
                        direction,
                        flow
                    );
                }
            }
            // Everything that is an endpoint's is compared.
            prop_assert!(says != Flows::Unknown || changed == 0, "{}", what);
            met.scene(&scene, finding);
            *met.fixes.entry((finding.check.name, says)).or_default() += 1;
            Ok(())
        })
        .unwrap();
    met.into_inner()
}

#[test]
fn a_fix_removes_its_finding_and_changes_a_flow_only_where_it_says_so() {
    let mut met = Met::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || fixes(thread)))
            .collect();
        for thread in threads {
            met.add(thread.join().unwrap());
        }
    });
    let fixes: u32 = met.fixes.values().sum();
    assert!(fixes >= 10_000, "{fixes} fixes");
    for aim in table::PATCHED {
        let own = met.fixes.iter().filter(|((check, _), _)| *check == aim);
        let times: u32 = own.map(|(_, times)| times).sum();
        assert!(times >= 200, "{aim}: {times} of {met:#?}");
    }
    // What is said of flows, where both may be: neither is said always.
    for (check, says, least) in [
        ("lone-block", Flows::Changed, 200),
        ("misspelt-key", Flows::Changed, 50),
        ("matches-nothing", Flows::Changed, 30),
        ("overruled-rule", Flows::Unchanged, 300),
        ("foreign-local-address", Flows::Changed, 90),
        ("ports-for-any-protocol", Flows::Changed, 90),
        ("unknown-policy-type", Flows::Changed, 20),
        ("tie-decides", Flows::Unchanged, 200),
        ("one-way-rules", Flows::Unchanged, 300),
    ] {
        let times = met.fixes.get(&(check, says)).copied().unwrap_or_default();
        assert!(times >= least, "{check} {says:?}: {times} of {met:#?}");
    }
    for (what, least) in [
        ("the trouble that was put in", 8_500),
        ("v1", 1_500),
        ("two families", 4_000),
        ("NAT", 1_500),
        ("NAT without effect", 200),
        ("tiers", 1_500),
        ("rules of the network", 2_000),
        ("odd semantics", 1_800),
        ("of the network", 700),
        ("errors beside a rule that goes", 100),
        ("packets", 150_000),
        ("packets that pass", 30_000),
        ("packets that meet what was changed", 70_000),
        ("packets that changed", 4_000),
    ] {
        let times = met.of.get(what).copied().unwrap_or_default();
        assert!(times >= least, "{what}: {times} of {met:#?}");
    }
}

/// All rules that are called shadowed can go at once.
#[test]
fn rules_that_are_called_shadowed_can_go_together() {
    let gone = std::cell::Cell::new(0u32);
    runner(0, 3_000 * THREADS as u32)
        .run(&scenes(), |scene| {
            let mut dice = Dice(scene.seed);
            let found = findings(&scene.subject(&scene.documents));
            let own = found.iter().filter(|finding| {
                finding.object.kind == "endpoint"
                    && finding.object.name == "e1"
                    && ["shadowed-rule", "duplicate-rule"].contains(&finding.check.name)
            });
            // Rules of tiers stand deeper, and stay.
            let places =
                own.filter_map(|finding| finding.pointer["/Policies/".len()..].parse().ok());
            let mut places: Vec<usize> = places.collect();
            places.sort_unstable();
            let mut fewer = scene.documents.clone();
            let rules = fewer[1]["Policies"].as_array_mut().unwrap();
            for place in places.into_iter().rev() {
                rules.remove(place);
                gone.set(gone.get() + 1);
            }
            let ([was, _], [is, _]) = (read(&scene, &scene.documents), read(&scene, &fewer));
            let edges = Edges::of(&own_addresses(&scene, 0), [&was, &is]);
            for _ in 0..PACKETS {
                let (direction, flow) = edges.packet(&mut dice);
                prop_assert_eq!(
                    was.passes(direction, &flow),
                    is.passes(direction, &flow),
                    "{:?} {:?}",
                    direction,
                    flow
                );
            }
            Ok(())
        })
        .unwrap();
    assert!(gone.get() > 900, "{}", gone.get());
}
