// SPDX-License-Identifier: MIT OR Apache-2.0
//! Expectations are recorded listings, and pages laid out by hand.

use serde_json::{Value, json};

use super::*;
use crate::listing;

/// An endpoint with every form of value, two policies too many for PowerShell.
fn endpoint() -> Value {
    json!({
        "ID": "5b0d3c1e-9f64-4b0e-8a77-0c1d2e3f4a5b",
        "Name": "web",
        "Version": 64_424_509_440u64,
        "AdditionalParams": {},
        "Resources": {
            "AdditionalParams": {}, "AllocationOrder": 3, "Allocators": [{"Tag": "ACL Policy"}],
            "Flags": 0, "Health": {"LastErrorCode": 0}, "ID": "0F3A5C77-1B2D-4E6F-9A8B-7C6D5E4F3A2B", "State": 1
        },
        "State": 2,
        "Policies": [
            {"Action": "Allow", "Direction": "In", "LocalPorts": "80", "Priority": 100, "Protocols": "6", "Type": "ACL"},
            {"Action": "Allow", "Direction": "Out", "Priority": 101, "Protocols": "17", "Type": "ACL"},
            {"Type": "L2Driver"},
            {"ExceptionList": ["10.0.0.0/8"], "Type": "OutBoundNAT"},
            {"Type": "PA", "PA": "192.0.2.1"}
        ],
        "EnableInternalDNS": true,
        "IsRemoteEndpoint": false,
        "Namespace": null,
        "SharedContainers": ["c1", "c2"],
        "DNSSuffix": "",
        "Empty": []
    })
}

#[test]
fn layout_at_120_columns() {
    // The names take 17 columns and " : ", so 99 of the 119 usable ones are left. With the blanks after them, the words of Resources
    // up to "Health=;" take 86 and "ID=…;" 41; those of Policies up to the first "Type=ACL}," take 84 and "@{Action=Allow;" 16,
    // one too many.
    let expected = "

ID                : 5b0d3c1e-9f64-4b0e-8a77-0c1d2e3f4a5b
Name              : web
Version           : 64424509440
AdditionalParams  :
Resources         : @{AdditionalParams=; AllocationOrder=3; Allocators=System.Object[]; Flags=0; Health=;
                    ID=0F3A5C77-1B2D-4E6F-9A8B-7C6D5E4F3A2B; State=1}
State             : 2
Policies          : {@{Action=Allow; Direction=In; LocalPorts=80; Priority=100; Protocols=6; Type=ACL},
                    @{Action=Allow; Direction=Out; Priority=101; Protocols=17; Type=ACL}, @{Type=L2Driver},
                    @{ExceptionList=System.Object[]; Type=OutBoundNAT}, @{Type=PA; PA=192.0.2.1}}
EnableInternalDNS : True
IsRemoteEndpoint  : False
Namespace         :
SharedContainers  : {c1, c2}
DNSSuffix         :
Empty             : {}
";
    assert_eq!(list(&[endpoint()], Some(120)), expected);
}

#[test]
fn objects_are_padded_apart_from_each_other() {
    let values = [json!({"ID": "a", "Name": "x"}), json!({"Identity": "b"})];
    assert_eq!(
        list(&values, None),
        "\n\nID   : a\nName : x\n\nIdentity : b\n"
    );
    assert_eq!(list(&[], Some(80)), "");
}

#[test]
fn words_are_not_broken_and_control_characters_do_not_print() {
    let values = [json!({"Name": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bb\ncc"})];
    assert_eq!(
        list(&values, Some(30)),
        "\n\nName : aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n       bb\\ncc\n"
    );
}

/// One endpoint of the walk-through, as HNS v1 answers it.
fn walked(
    id: &str,
    order: u64,
    resources: &str,
    policies: Option<Value>,
    tail: [&str; 3],
) -> Value {
    let [mac, address, container] = tail;
    let mut endpoint = json!({
        "ID": id, "Name": "Ethernet", "Version": 64_424_509_440u64, "AdditionalParams": {},
        "Resources": {
            "AdditionalParams": {}, "AllocationOrder": order, "Allocators": [], "CompartmentOperationTime": 0, "Flags": 0,
            "Health": {}, "ID": resources, "PortOperationTime": 0, "State": 1, "SwitchOperationTime": 0,
            "VfpOperationTime": 0, "parentId": "5CA27F17-3705-4BE7-8F3B-963E16533E12"
        },
        "State": 2, "VirtualNetwork": "625d8985-3f12-469e-a98d-2baac83dee45", "VirtualNetworkName": "nat"
    });
    let members = endpoint.as_object_mut().unwrap();
    if let Some(policies) = policies {
        members.insert("Policies".to_owned(), policies);
    }
    let rest = json!({
        "MacAddress": mac, "EnableInternalDNS": true, "IPAddress": address, "PrefixLength": 20,
        "GatewayAddress": "172.19.0.1", "IPSubnetId": "35f30e75-364d-4e6d-a459-4ccdce1077e7",
        "DNSServerList": "172.19.0.1,168.63.129.16",
        "DNSSuffix": "uuz1fvwpe0zejibongrs2s5cjg.bx.internal.cloudapp.net",
        "SharedContainers": [container]
    });
    members.extend(rest.as_object().unwrap().clone());
    endpoint
}

/// The rules of the walk-through's program with one action, as HNS keeps them.
fn rules(action: &str) -> Vec<Value> {
    vec![
        json!({
            "Action": action, "Direction": "In", "LocalAddresses": "172.19.6.74", "LocalPorts": "80", "Priority": 100,
            "Protocols": "6", "Scope": 0, "Type": "ACL"
        }),
        json!({"Action": action, "Direction": "Out", "Priority": 100, "Protocols": "6", "Scope": 0, "Type": "ACL"}),
    ]
}

#[test]
fn walk_through_listings_are_repeated_to_the_character() {
    let Some(corpus) =
        testkit::corpus_or_skip("walk_through_listings_are_repeated_to_the_character")
    else {
        return;
    };
    let page = std::fs::read_to_string(corpus.join("../seed/walkthrough.md")).unwrap();
    // Three listings of two endpoints: from each line "ID" to the line "SharedContainers".
    let mut recorded: Vec<Vec<&str>> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("ID  ") {
            recorded.push(Vec::new());
            inside = true;
        }
        if inside {
            recorded.last_mut().unwrap().push(line.trim_end());
        }
        inside &= !line.starts_with("SharedContainers");
    }
    assert_eq!(recorded.len(), 6);

    let server = |order, policies| {
        walked(
            "edffc876-3051-46ec-80b3-820dda20aa14",
            order,
            "78E66F4E-E634-414C-B26B-3FCC84A4A7B2",
            policies,
            [
                "00-15-5D-90-AD-7C",
                "172.19.6.74",
                "49c836b9725e69736157468f33b2a41b0753609c5d49565b46fb37505a5a3b9f",
            ],
        )
    };
    let client = walked(
        "c047102f-2bb1-4f64-8f30-9ede02f464f1",
        3,
        "4C355094-4C39-4B90-9A7E-D3D71BAD6CA5",
        None,
        [
            "00-15-5D-90-AD-B2",
            "172.19.3.166",
            "49e8cbcc30485056cc3e95a6d39f432a8ec2dda522efaaabb2f8dd513b7a5f9c",
        ],
    );
    let blocked = [rules("Block"), rules("Block")].concat();
    let rebuilt = [
        // The first console was between 127 and 135 columns wide, the others between 178 and 187: the longest line and the
        // shortest that did not fit say so.
        (server(3, None), 130),
        (client.clone(), 130),
        (server(6, Some(blocked.into())), 180),
        (client.clone(), 180),
        (server(7, Some(rules("Allow").into())), 180),
        (client, 180),
    ];
    for ((value, width), recorded) in rebuilt.into_iter().zip(recorded) {
        let text = list(&[value], Some(width));
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(lines, recorded);
        let folded = |lines: &[&str]| -> Vec<String> {
            lines
                .join(" ")
                .split_whitespace()
                .map(str::to_owned)
                .collect()
        };
        let unwrapped = list(&[listing::read(&text).unwrap().remove(0).value], None);
        assert_eq!(folded(&[&unwrapped]), folded(&recorded));
    }
}

#[test]
fn recorded_listings_read_and_printed_again_are_the_same() {
    let Some(corpus) =
        testkit::corpus_or_skip("recorded_listings_read_and_printed_again_are_the_same")
    else {
        return;
    };
    // Files whose author changed the layout, so that no console could have printed them: fields left out without closing the
    // padding, or the empty line between objects taken away.
    let edited = ["01-", "02-", "03-", "17-"];
    let mut files: Vec<_> = std::fs::read_dir(corpus.join("psobject"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut checked = 0;
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if edited.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .skip_while(|line| line.trim().is_empty() || line.starts_with("PS "))
            .collect();
        let indent = lines[0].len() - lines[0].trim_start().len();
        let recorded: Vec<&str> = lines
            .iter()
            .map(|line| line.get(indent..).unwrap_or_default().trim_end())
            .collect();
        let values: Vec<Value> = listing::read(&text)
            .unwrap()
            .into_iter()
            .map(|listed| listed.value)
            .collect();
        let printed = |width| list(&values, width);
        // How wide the console was is not recorded.
        let found = (100..300)
            .map(Some)
            .chain([None])
            .map(printed)
            .any(|printed| printed.lines().skip(2).eq(recorded.iter().copied()));
        assert!(found, "{name} at 120 columns:{}", printed(Some(120)));
        checked += 1;
    }
    assert!(checked >= 13, "{checked}");
}
