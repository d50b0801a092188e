// SPDX-License-Identifier: MIT OR Apache-2.0
//! The demo with the walk-through's ids, against the walk-through's own listings.
//!
//! The expected fields are facts of JungukCho/windows-hcsshim (README at 1d2fb43), in its order. White space is folded. Of `Resources`,
//! whose values Windows invents, the keys are compared, and the counter that the walk-through shows going from 3 to 6 to 7.

use std::process::{Command, Output};

const NGINX: &str = "edffc876-3051-46ec-80b3-820dda20aa14";
const CLIENT: &str = "c047102f-2bb1-4f64-8f30-9ede02f464f1";

const RESOURCES: [&str; 12] = [
    "AdditionalParams",
    "AllocationOrder",
    "Allocators",
    "CompartmentOperationTime",
    "Flags",
    "Health",
    "ID",
    "PortOperationTime",
    "State",
    "SwitchOperationTime",
    "VfpOperationTime",
    "parentId",
];

/// One object of a listing: fields in order, values with white space folded.
type Listed = Vec<(String, String)>;

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hcnctl"))
        .arg("demo")
        .args(arguments)
        .output()
        .expect("the program runs")
}

/// The listings among a transcript: after `$ hcnctl get endpoints… -o list`, up to the next command or heading.
fn listings(transcript: &str) -> Vec<Vec<Listed>> {
    let mut found = Vec::new();
    let mut lines = transcript.lines().peekable();
    while let Some(line) = lines.next() {
        if !(line.starts_with("$ hcnctl get endpoints") && line.ends_with("-o list")) {
            continue;
        }
        let mut objects: Vec<Listed> = Vec::new();
        while let Some(line) =
            lines.next_if(|line| !line.starts_with("$ ") && !line.starts_with("# "))
        {
            match line.split_once(" : ") {
                Some((key, value)) if !line.starts_with(' ') => {
                    if key.trim() == "ID" {
                        objects.push(Vec::new());
                    }
                    objects
                        .last_mut()
                        .expect("an object begins with its ID")
                        .push((key.trim().into(), value.trim().into()));
                }
                _ if line.trim_end().ends_with(" :") => {
                    objects.last_mut().unwrap().push((
                        line.trim_end().trim_end_matches(':').trim().into(),
                        String::new(),
                    ));
                }
                _ if line.trim().is_empty() => {}
                _ => {
                    let value = &mut objects.last_mut().unwrap().last_mut().unwrap().1;
                    value.push(' ');
                    value.push_str(line.trim());
                }
            }
        }
        found.push(objects);
    }
    found
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The fields that the walk-through lists for an endpoint.
fn expected(id: &str, mac: &str, address: &str, container: &str, policies: Option<&str>) -> Listed {
    let mut fields = vec![
        ("ID", id),
        ("Name", "Ethernet"),
        ("Version", "64424509440"),
        ("AdditionalParams", ""),
        ("Resources", ""),
        ("State", "2"),
        ("VirtualNetwork", "625d8985-3f12-469e-a98d-2baac83dee45"),
        ("VirtualNetworkName", "nat"),
    ];
    fields.extend(policies.map(|policies| ("Policies", policies)));
    fields.extend([
        ("MacAddress", mac),
        ("EnableInternalDNS", "True"),
        ("IPAddress", address),
        ("PrefixLength", "20"),
        ("GatewayAddress", "172.19.0.1"),
        ("IPSubnetId", "35f30e75-364d-4e6d-a459-4ccdce1077e7"),
        ("DNSServerList", "172.19.0.1,168.63.129.16"),
        (
            "DNSSuffix",
            "uuz1fvwpe0zejibongrs2s5cjg.bx.internal.cloudapp.net",
        ),
        ("SharedContainers", container),
    ]);
    fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn nginx(policies: Option<&str>) -> Listed {
    let container = "{49c836b9725e69736157468f33b2a41b0753609c5d49565b46fb37505a5a3b9f}";
    expected(
        NGINX,
        "00-15-5D-90-AD-7C",
        "172.19.6.74",
        container,
        policies,
    )
}

fn client() -> Listed {
    let container = "{49e8cbcc30485056cc3e95a6d39f432a8ec2dda522efaaabb2f8dd513b7a5f9c}";
    expected(CLIENT, "00-15-5D-90-AD-B2", "172.19.3.166", container, None)
}

/// Compares all fields in order; takes `Resources` apart.
fn assert_listed(own: &Listed, wanted: &Listed, allocation_order: &str) {
    let keys = |listed: &Listed| {
        listed
            .iter()
            .map(|(key, _)| key.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(own), keys(wanted));
    for ((key, own), (_, wanted)) in own.iter().zip(wanted) {
        if key != "Resources" {
            assert_eq!(folded(own), folded(wanted), "{key}");
            continue;
        }
        let own = folded(own);
        let members: Vec<(&str, &str)> = own
            .strip_prefix("@{")
            .and_then(|own| own.strip_suffix('}'))
            .expect("Resources is an object")
            .split("; ")
            .map(|member| member.split_once('=').expect("members have values"))
            .collect();
        assert_eq!(
            members.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
            RESOURCES
        );
        assert_eq!(members[1].1, allocation_order);
        assert_eq!(members[2].1, "System.Object[]");
    }
}

#[test]
fn the_listings_are_those_of_the_walk_through() {
    let output = demo(&["--seed-ids"]);
    let transcript = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{transcript}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let [before, blocked, allowed] = &listings(&transcript)[..] else {
        panic!("three listings in {transcript}")
    };

    assert_listed(&before[0], &nginx(None), "3");
    let block = "@{Action=Block; Direction=In; LocalAddresses=172.19.6.74; LocalPorts=80; Priority=100; Protocols=6; Scope=0; Type=ACL}, \
                 @{Action=Block; Direction=Out; Priority=100; Protocols=6; Scope=0; Type=ACL}";
    assert_listed(
        &blocked[0],
        &nginx(Some(&format!("{{{block}, {block}}}"))),
        "6",
    );
    let allow = "{@{Action=Allow; Direction=In; LocalAddresses=172.19.6.74; LocalPorts=80; Priority=100; Protocols=6; Scope=0; Type=ACL}, \
                 @{Action=Allow; Direction=Out; Priority=100; Protocols=6; Scope=0; Type=ACL}}";
    assert_listed(&allowed[0], &nginx(Some(allow)), "7");
    // The client is listed each time, and nothing of it changes.
    for listing in [before, blocked, allowed] {
        assert_eq!(listing.len(), 2);
        assert_listed(&listing[1], &client(), "3");
    }
    assert!(
        transcript.contains("HNS said yes and took nothing away"),
        "{transcript}"
    );
}

#[test]
fn the_demo_tells_its_story_and_every_step_ends_as_it_should() {
    let output = demo(&[]);
    let transcript = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{transcript}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // What the probes say, in order: open, blocked, allowed, ping under default deny, blocked, ping, open.
    let probes: Vec<&str> = transcript
        .lines()
        .filter(|line| line.starts_with("client (") && line.contains(" -> nginx ("))
        .filter_map(|line| {
            line.rsplit_once("tcp: ")
                .or_else(|| line.rsplit_once("icmp: "))
        })
        .map(|(_, what)| what.split([':', ' ']).next().unwrap())
        .collect();
    assert_eq!(
        probes,
        [
            "answered", "timed", "answered", "timed", "timed", "echo", "answered"
        ]
    );
    assert!(transcript.contains("HTTP/1.1 200 OK"));
    assert!(transcript.contains("dropped at nginx"));
    assert!(transcript.ends_with("Every step ended as it should.\n"));
}

#[test]
fn the_demo_leaves_nothing_behind_and_keeps_to_its_own_directory() {
    let folder = std::env::temp_dir().join(format!("hcnctl-demo-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_hcnctl"))
            .arg("demo")
            .args(arguments)
            .env("TMPDIR", &folder)
            .env("HOME", &folder)
            .env_remove("HCNCTL_STATE")
            .env_remove("XDG_STATE_HOME")
            .output()
            .unwrap()
    };
    assert!(run(&[]).status.success());
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        0,
        "the demo left something in its temporary directory or home"
    );
    let kept = folder.join("kept");
    assert!(run(&["--state", kept.to_str().unwrap()]).status.success());
    assert!(kept.join("hns.sqlite3").is_file());
    let again = run(&["--state", kept.to_str().unwrap()]);
    assert_eq!(
        again.status.code(),
        Some(2),
        "a store of somebody's is not played with"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
