// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recorded listings with values read off by eye, and captures written here that show one trait each.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::render::list::list;

fn values(text: &str) -> Vec<Value> {
    read(text)
        .unwrap()
        .into_iter()
        .map(|listed| listed.value)
        .collect()
}

fn one(text: &str) -> Value {
    let mut values = values(text);
    assert_eq!(values.len(), 1, "{values:?}");
    values.remove(0)
}

#[test]
fn json_is_read_in_every_arrangement() {
    let expected = [json!({"ID": "a"}), json!({"ID": "b"})];
    for text in [
        r#"[{"ID":"a"},{"ID":"b"}]"#,
        "{\"ID\":\"a\"}\n{\"ID\":\"b\"}\n",
        "{\n  \"ID\": \"a\"\n}{\"ID\":\"b\"}",
        "\u{feff}PS C:\\> Get-HnsEndpoint | ConvertTo-Json\r\n[{\"ID\":\"a\"},\r\n{\"ID\":\"b\"}]",
        r#"{"Success":true,"Output":[{"ID":"a"},{"ID":"b"}]}"#,
        r#"{"value":[{"ID":"a"},{"ID":"b"}],"Count":2}"#,
    ] {
        assert_eq!(values(text), expected, "{text}");
    }
    assert_eq!(one(r#"{"ID":"a"}"#), json!({"ID": "a"}));
    for text in ["", " \n", "[]", "PS C:\\> Get-HnsEndpoint\n"] {
        assert_eq!(values(text), [] as [Value; 0], "{text}");
    }
}

#[test]
fn what_is_no_listing_is_refused_with_its_place() {
    let error = read("[{\"ID\":\"a\"},\n {\"ID\"=1}]").unwrap_err();
    assert_eq!(error.to_string(), "not valid JSON, in line 2 column 7");
    let error = read(r#"[{"ID":"a"}, 7]"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "item 1 of the listing is a number, not an object"
    );
    let error = read("hello world").unwrap_err();
    assert!(matches!(error, ListingError::Neither), "{error}");
    assert!(matches!(
        decode(b"\xff\xfe\x00").unwrap_err(),
        ListingError::NotText
    ));
    assert!(matches!(
        decode(b"caf\xe9").unwrap_err(),
        ListingError::NotText
    ));
}

#[test]
fn files_that_powershell_wrote_are_decoded() {
    // `Get-HnsEndpoint > file` of Windows PowerShell writes UTF-16 with a mark, PowerShell 7 UTF-8 without.
    assert_eq!(decode(b"\xff\xfeI\x00D\x00").unwrap(), "ID");
    assert_eq!(decode(b"\xfe\xff\x00I\x00D").unwrap(), "ID");
    assert_eq!(decode(b"\xef\xbb\xbfID").unwrap(), "ID");
    assert_eq!(decode("größe".as_bytes()).unwrap(), "größe");
}

#[test]
fn objects_are_known_by_id_then_by_name() {
    let listed = read(
        r#"[{"Id":"{EDFFC876-3051-46EC-80B3-820DDA20AA14}","MacAddress":"x"},{"Name":"nat","Subnets":[]},{"NamespaceId":1},{"ID":"Odd"}]"#,
    )
    .unwrap();
    let told: Vec<_> = listed
        .iter()
        .map(|listed| (listed.kind, listed.identity.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Kind::Endpoint, "edffc876-3051-46ec-80b3-820dda20aa14"),
            (Kind::Network, "network nat"),
            (Kind::Namespace, "namespace #2"),
            (Kind::Unknown, "odd"),
        ]
    );
}

#[test]
fn values_get_their_structure_back() {
    let text = "
ID               : 7
Name             : web; one=two, three
State            : 2
Big              : 18446744073709551615
Padded           : 007
Digits           : 49000000000000000000000000000000000000000
IsRemoteEndpoint : False
AdditionalParams :
Health           : @{LastErrorCode=0; LastUpdateTime=132053549732110223}
Namespace        : @{ID=12D7094D-EF08-4358-9E45-CC007B65954A; IsDefault=False}
Extra            : @{attached-mac=; text=a; b; pod-name=x}
Policies         : {@{Type=L2Driver}, @{VIPs=System.Object[]; Type=ELB}}
Cut              : {1, 2, 3, 4...}
Empty            : {}
Unclosed         : @{a=1
Brace            : {a, b}, c}
";
    assert_eq!(
        one(text),
        json!({
            "ID": 7,
            "Name": "web; one=two, three",
            "State": 2,
            "Big": 18_446_744_073_709_551_615u64,
            "Padded": "007",
            "Digits": "49000000000000000000000000000000000000000",
            "IsRemoteEndpoint": false,
            "AdditionalParams": null,
            "Health": {"LastErrorCode": 0, "LastUpdateTime": 132_053_549_732_110_223u64},
            "Namespace": {"ID": "12D7094D-EF08-4358-9E45-CC007B65954A", "IsDefault": false},
            "Extra": {"attached-mac": null, "text": "a; b", "pod-name": "x"},
            "Policies": [{"Type": "L2Driver"}, {"VIPs": "System.Object[]", "Type": "ELB"}],
            "Cut": [1, 2, 3, 4, "..."],
            "Empty": [],
            "Unclosed": "@{a=1",
            "Brace": ["a", "b}", "c"]
        })
    );
}

#[test]
fn continuation_lines_need_no_indentation_and_fields_may_have_some() {
    let text = "
    ID       : a
    Policies : {@{Action=Block;
  Direction=In}, @{Type=L2Driver},
               @{Type=PA}}
    State    : 2
";
    assert_eq!(
        one(text),
        json!({"ID": "a", "Policies": [{"Action": "Block", "Direction": "In"}, {"Type": "L2Driver"}, {"Type": "PA"}], "State": 2})
    );
}

#[test]
fn words_broken_at_the_last_column_are_joined() {
    // Thirty columns, and a word longer than the 23 that are left for a value: it goes on without a blank.
    let text = "
ID   : a
Name : container 49c836b972569
       73615746d8f33b2a41b0753
       9 end
";
    assert_eq!(
        one(text)["Name"],
        json!("container 49c836b97256973615746d8f33b2a41b07539 end")
    );
    // The same width on a console that breaks anywhere: a blank in the last column is lost, a word is torn.
    let text = "
ID       : a
Health   : @{LastErrorCode=0;
           LastUpdateTime=1320
           53549732110223}
Policies : {@{Type=L2Driver},
           @{Type=OutBoundNAT}
           , @{Type=PA}}
";
    assert_eq!(
        one(text),
        json!({
            "ID": "a",
            "Health": {"LastErrorCode": 0, "LastUpdateTime": 132_053_549_732_110_223u64},
            "Policies": [{"Type": "L2Driver"}, {"Type": "OutBoundNAT"}, {"Type": "PA"}]
        })
    );
}

#[test]
fn what_stands_between_listings_is_left_out() {
    let text = "
Some words before.
```
PS C:\\k> Get-HnsEndpoint
ID   : a
Name : x
ID   : b
Name : y
```
# After that
$ Get-HnsEndpoint

Id : c
";
    assert_eq!(
        values(text),
        [
            json!({"ID": "a", "Name": "x"}),
            json!({"ID": "b", "Name": "y"}),
            json!({"Id": "c"})
        ]
    );
}

#[test]
fn recorded_listings_are_read_whole() {
    let Some(corpus) = testkit::corpus_or_skip("recorded_listings_are_read_whole") else {
        return;
    };
    // File, kind, number of objects; then places and values read off the file.
    type Row = (
        &'static str,
        Kind,
        usize,
        &'static [(usize, &'static str, &'static str)],
    );
    #[rustfmt::skip]
    let rows: [Row; 17] = [
        ("01-seed-before.txt", Kind::Unknown, 2, &[(1, "/ID", "\"c047102f-2bb1-4f64-8f30-9ede02f464f1\"")]),
        ("02-seed-after-block.txt", Kind::Unknown, 2, &[
            (0, "/Policies/3", r#"{"Action":"Block","Direction":"Out","Priority":100,"Protocols":6,"Scope":0,"Type":"ACL"}"#),
            (0, "/Policies/2/LocalAddresses", "\"172.19.6.74\""),
        ]),
        ("03-seed-after-allow.txt", Kind::Unknown, 2, &[(0, "/Policies/1/Action", "\"Allow\""), (0, "/Policies/0/Type", "\"ACL\"")]),
        ("05-overlay-external-network-2.txt", Kind::Network, 1, &[
            (0, "/Extensions/0/Name", "\"Microsoft Windows Filtering Platform\""),
            (0, "/Extensions/1/Name", "\"Microsoft Azure VFP Switch Extension\""),
            (0, "/Subnets/0/Policies", "\"System.Object[]\""),
            (0, "/Version", "38654705666"),
        ]),
        ("06-nat-empty.txt", Kind::Network, 1, &[(0, "/Health/LastUpdateTime", "132053549732110223"), (0, "/AdditionalParams", "null")]),
        ("07-nat-one-container.txt", Kind::Network, 1, &[(0, "/CurrentEndpointCount", "1")]),
        ("09-nat-and-l2bridge.txt", Kind::Network, 2, &[(1, "/ManagementIP", "\"10.138.0.5\""), (1, "/Subnets/0/ObjectType", "5")]),
        ("10-nat-two-containers-and-l2bridge.txt", Kind::Network, 2, &[(0, "/TotalEndpoints", "2")]),
        ("11-nat-after-l2bridge-removed.txt", Kind::Network, 1, &[(0, "/Policies", "[]")]),
        ("13-two-nat-networks-ovs.txt", Kind::Network, 2, &[
            (0, "/Resources/Allocators", "\"System.Collections.ArrayList\""),
            (0, "/Extensions/1/Id", "\"583CC151-73EC-4A6A-8B47-578297AD7623\""),
            (1, "/RunspaceId", "\"45ebf9de-33fc-4e9e-b1d1-18fb1f646b1f\""),
        ]),
        ("14-antrea-transparent-endpoint.txt", Kind::Endpoint, 1, &[
            (0, "/AdditionalParams/attached-mac", "null"),
            (0, "/AdditionalParams/pod-namespace", "\"hybrid-network-4867\""),
            (0, "/Namespace/IsDefault", "false"),
        ]),
        ("15-calico-overlay-wrong-mgmt-ip.txt", Kind::Network, 1, &[(0, "/Policies/1/IsolationId", "4096"), (0, "/Subnets/0/State", "0")]),
        ("17-kubeproxy-remote-endpoint-and-pods.txt", Kind::Endpoint, 4, &[
            (0, "/Policies/0/PA", "\"10.20.30.11\""), (0, "/IsRemoteEndpoint", "true"), (3, "/IPAddress", "\"100.244.206.70\""),
        ]),
        ("18-policylist-elb.txt", Kind::LoadBalancer, 1, &[
            (0, "/References/2", "\"/endpoints/77c53bac-a359-45cc-a663-541344ee505a\""), (0, "/IsApplied", "false"),
        ]),
        ("19-l2bridge-endpoint-outboundnat.txt", Kind::Endpoint, 1, &[(0, "/Policies/1/Type", "\"L2Driver\""), (0, "/SharedContainers", "[]")]),
        ("21-l2bridge-endpoint-proxy-attached.txt", Kind::Endpoint, 1, &[
            (0, "/Policies/2", r#"{"Destination":"10.0.1.2:80","IP":"169.254.169.254","OutboundNat":true,"Port":80,"Type":"PROXY"}"#),
        ]),
        ("22-l2bridge-endpoint-proxy-typo.txt", Kind::Endpoint, 1, &[(0, "/Policies/1/OutbountNat", "true"), (0, "/PrefixLength", "24")]),
    ];
    for (file, kind, count, expected) in rows {
        let bytes = std::fs::read(corpus.join("psobject").join(file)).unwrap();
        let listed = read(&decode(&bytes).unwrap()).unwrap();
        assert_eq!(listed.len(), count, "{file}");
        assert!(listed.iter().all(|listed| listed.kind == kind), "{file}");
        for (index, pointer, value) in expected {
            let found = listed[*index].value.pointer(pointer);
            assert_eq!(
                found.map(Value::to_string).as_deref(),
                Some(*value),
                "{file} {index}{pointer}"
            );
        }
    }
}

#[test]
fn recorded_json_listings_survive_our_own_list() {
    let Some(corpus) = testkit::corpus_or_skip("recorded_json_listings_survive_our_own_list")
    else {
        return;
    };
    let mut objects = 0;
    for entry in std::fs::read_dir(corpus.join("json-v1")).unwrap() {
        let path = entry.unwrap().path();
        let text = decode(&std::fs::read(&path).unwrap()).unwrap();
        let Ok(listed) = read(&text) else { continue };
        let values: Vec<Value> = listed.into_iter().map(|listed| listed.value).collect();
        objects += values.len();
        let unwrapped = list(&values, None);
        assert_eq!(list(&self::values(&unwrapped), None), unwrapped, "{path:?}");
        for width in [80, 120, 200] {
            let wrapped = list(&values, Some(width));
            assert_eq!(
                list(&self::values(&wrapped), None),
                unwrapped,
                "{path:?} at {width}"
            );
        }
    }
    assert!(objects > 50, "{objects}");
}

/// Members as HNS has them: names, and values of every form that Format-List prints.
fn any_object() -> impl Strategy<Value = Value> {
    let word = "[A-Za-z0-9./:-]{0,30}";
    let scalar = prop_oneof![
        word.prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let flat = prop::collection::vec(("[A-Za-z][A-Za-z]{0,12}", scalar.clone()), 1..6)
        .prop_map(|members| Value::Object(members.into_iter().collect()));
    let member = prop_oneof![
        scalar,
        flat.clone(),
        prop::collection::vec(flat, 0..6).prop_map(Value::from),
        prop::collection::vec("[a-z0-9/]{1,40}", 0..6).prop_map(Value::from),
    ];
    prop::collection::vec(("[A-Z][A-Za-z]{0,20}", member), 1..8)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

proptest! {
    #[test]
    fn our_own_list_reads_back_at_any_width(objects in prop::collection::vec(any_object(), 1..4), width in 40usize..200) {
        let unwrapped = list(&objects, None);
        let once = values(&unwrapped);
        prop_assert_eq!(once.len(), objects.len());
        prop_assert_eq!(&list(&once, None), &unwrapped);
        prop_assert_eq!(values(&list(&objects, Some(width))), once);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[ \nA-Za:@{}=;,.\\[\\]\"1é\u{a0}-]{0,80}") {
        let _ = read(&text);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        let _ = decode(&bytes);
    }
}
