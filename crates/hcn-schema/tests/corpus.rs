// SPDX-License-Identifier: MIT OR Apache-2.0
//! What real Windows machines and real clients wrote, read and written back.
//!
//! Apart from the fixtures because the documents lie outside the repository; where they are not, each test here is a counted skip.
//! Values were read off the files by eye.

mod every_document;

use std::{
    fs,
    path::{Path, PathBuf},
};

use every_document::{assert_kept_by_every_kind, every_object, kind};
use hcn_schema::{
    Document, Endpoint, LoadBalancer, Network, SdnRoute,
    endpoint::EndpointFlags,
    load_balancer::LoadBalancerPortMappingFlags,
    modify::{ModifyRequest, NamespaceEndpointSettings, PolicySettings, RequestType},
    network::{IpamType, NetworkType},
    policy::{
        Acl, AclAction, AclDirection, AclRuleType, EndpointPolicy, NetworkPolicy, SubnetPolicy,
        endpoint::{Isolation, OutBoundNat, SdnRouteSettings},
    },
    v1,
};
use serde_json::{Value, json};
use testkit::{corpus_or_skip, traces_or_skip};

/// JSON documents in the corpus today: 27 in `json-v1`, 2 in `json-v2`, 23 in `requests`.
const RECORDED_DOCUMENTS: usize = 52;
/// Objects inside them.
const RECORDED_OBJECTS: usize = 1391;
/// Files of these folders that are not JSON as published (trailing commas, console wrapping, log prefixes, placeholders, U+00A0):
/// `json-v2` 01, 02, 03, 06, 09 and `requests` 03, 07, 19, 20, 37.
const NOT_JSON: usize = 10;
/// JSON arguments in the traces today.
const TRACED_DOCUMENTS: usize = 491;
/// Objects inside them.
const TRACED_OBJECTS: usize = 1508;

/// The files of a folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    files.sort();
    files
}

/// The text of the one file of the folder that starts with this number.
fn text(corpus: &Path, folder: &str, number: &str) -> String {
    let path = files(&corpus.join(folder))
        .into_iter()
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(number))
        })
        .unwrap_or_else(|| panic!("no {folder}/{number}-*"));
    fs::read_to_string(path).expect("recorded documents are UTF-8")
}

/// The JSON of the one file of the folder that starts with this number.
fn recorded(corpus: &Path, folder: &str, number: &str) -> Value {
    serde_json::from_str(&text(corpus, folder, number)).expect("the file is JSON")
}

/// The first JSON object in a text, after mending what documentation authors leave: commas before a closing bracket.
fn mended(text: &str) -> Value {
    let start = text.find('{').expect("the text has an object");
    let mut mended = String::new();
    let (mut in_text, mut escaped) = (false, false);
    for letter in text[start..].chars() {
        if !in_text && matches!(letter, '}' | ']') {
            let kept = mended.trim_end().trim_end_matches(',').len();
            mended.truncate(kept);
        }
        mended.push(letter);
        (in_text, escaped) = match (letter, escaped) {
            ('"', false) => (!in_text, false),
            ('\\', false) => (in_text, true),
            _ => (in_text, false),
        };
    }
    serde_json::Deserializer::from_str(&mended)
        .into_iter()
        .next()
        .expect("the text has a value")
        .expect("the mended text is JSON")
}

/// The arguments of the traced calls that are JSON, each with the function's name (for `HNSCall`, with method and path).
fn traced(traces: &Path) -> Vec<(String, Value)> {
    let mut documents = Vec::new();
    for path in files(traces) {
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        for line in fs::read_to_string(&path).expect("traces are UTF-8").lines() {
            let call: Value = serde_json::from_str(line).expect("a trace is one JSON a line");
            let mut name = call["fn"].as_str().expect("a call has a name").to_owned();
            let arguments = call["args"].as_array().expect("a call has arguments");
            if name == "HNSCall" {
                name = format!("{name} {} {}", arguments[0], arguments[1]).replace('"', "");
            }
            for argument in arguments.iter().filter_map(Value::as_str) {
                if let Ok(document @ (Value::Object(_) | Value::Array(_))) =
                    serde_json::from_str(argument)
                {
                    documents.push((name.clone(), document));
                }
            }
        }
    }
    documents
}

/// The settings of each ACL of a document, wherever it hangs.
fn acls(document: &Value) -> Vec<Acl> {
    let mut acls = Vec::new();
    every_object(document, &mut |map| {
        if map.get("Type").and_then(Value::as_str) == Some("ACL") {
            let policy = hcn_schema::Policy::from_map(map);
            assert_eq!(EndpointPolicy::odd_fields(&policy), []);
            match EndpointPolicy::of(&policy) {
                EndpointPolicy::Acl(acl) => acls.push(acl),
                other => panic!("{other:?} is no ACL"),
            }
        }
    });
    acls
}

/// Shorthand for the text of a field.
macro_rules! said {
    ($field:expr) => {
        $field.get().map(String::as_str)
    };
}

#[test]
fn every_recorded_document_is_written_back_as_it_was() {
    let Some(corpus) = corpus_or_skip("every_recorded_document_is_written_back_as_it_was") else {
        return;
    };
    let (mut documents, mut objects, mut not_json) = (0, 0, Vec::new());
    for folder in ["json-v1", "json-v2", "requests"] {
        for path in files(&corpus.join(folder)) {
            let text = fs::read_to_string(&path).expect("recorded documents are UTF-8");
            match serde_json::from_str(&text) {
                Ok(document) => {
                    documents += 1;
                    objects += assert_kept_by_every_kind(&document);
                }
                Err(_) => not_json.push(path),
            }
        }
    }
    println!(
        "{documents} documents, {objects} objects, {} files are not JSON",
        not_json.len()
    );
    assert!(documents >= RECORDED_DOCUMENTS, "{documents} documents");
    assert!(objects >= RECORDED_OBJECTS, "{objects} objects");
    assert!(
        not_json.len() <= NOT_JSON,
        "files that parsed once do not: {not_json:?}"
    );
}

#[test]
fn every_request_of_a_real_client_is_written_back_as_it_was() {
    let Some(traces) = traces_or_skip("every_request_of_a_real_client_is_written_back_as_it_was")
    else {
        return;
    };
    let documents = traced(&traces);
    let objects: usize = documents
        .iter()
        .map(|(_, document)| assert_kept_by_every_kind(document))
        .sum();
    println!("{} documents, {objects} objects", documents.len());
    assert!(documents.len() >= TRACED_DOCUMENTS, "{}", documents.len());
    assert!(objects >= TRACED_OBJECTS, "{objects}");
}

#[test]
fn recorded_objects_have_no_odd_field_and_no_surprising_key() {
    let Some(corpus) = corpus_or_skip("recorded_objects_have_no_odd_field_and_no_surprising_key")
    else {
        return;
    };
    let mut objects = 0;
    let mut check = |name: &str, value: &Value, known_extra: &[&str]| {
        let map = value.as_object().expect("an object");
        assert_eq!((kind(name).odd_fields)(map), [], "{name}: odd fields");
        for key in (kind(name).extra)(map) {
            assert!(
                known_extra.contains(&key.as_str()),
                "{name} has no field for {key}"
            );
        }
        objects += 1;
    };
    for path in files(&corpus.join("json-v1")) {
        let document: Value =
            serde_json::from_str(&fs::read_to_string(&path).expect("UTF-8")).expect("JSON");
        let file = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        for object in document.as_array().into_iter().flatten() {
            if file.ends_with("docker-networks") {
                continue;
            } else if file.ends_with("networks") {
                check("v1::network::Network", object, &[]);
            } else if file.ends_with("endpoints") {
                let times = [
                    "ActivityId",
                    "CreateProcessingStartTime",
                    "StartTime",
                    "Type",
                ];
                check("v1::endpoint::Endpoint", object, &times);
            } else if file.ends_with("policies") {
                check("v1::policy_list::PolicyList", object, &["AdditionalParams"]);
            } else {
                panic!("what is in {file}?");
            }
        }
        if document.get("Output").is_some() {
            check("v1::envelope::Envelope", &document, &[]);
            check("v1::network::Network", &document["Output"], &[]);
        }
    }
    // 7 files of 2 networks, 7 of 4 endpoints, 33 policy lists, 2 envelopes with a network each.
    assert!(objects >= 7 * 2 + 7 * 4 + 33 + 2 * 2, "{objects} objects");
}

#[test]
fn networks_of_a_swarm_node_say_what_the_file_says() {
    let Some(corpus) = corpus_or_skip("networks_of_a_swarm_node_say_what_the_file_says") else {
        return;
    };
    let file = recorded(&corpus, "json-v1", "01-");
    let ingress = v1::Network::from_value(&file[0]).expect("an object");
    assert_eq!(said!(ingress.name), Some("ingress"));
    assert_eq!(said!(ingress.network_type), Some("overlay"));
    assert_eq!(ingress.version.get(), Some(&38654705667));
    assert_eq!(ingress.automatic_dns.get(), Some(&true));
    assert_eq!(ingress.ipv6.get(), Some(&false));
    assert_eq!(ingress.dns_server_compartment.get(), Some(&5));
    assert_eq!(said!(ingress.dr_mac_address), Some("00-15-5D-40-79-A0"));
    assert_eq!(said!(ingress.management_ip), Some("192.168.100.100"));
    assert_eq!(ingress.total_endpoints.get(), Some(&1));
    assert!(
        ingress
            .id
            .get()
            .and_then(|id| id.guid())
            .is_some_and(|id| id.is_zero())
    );

    // A reader through a double would give 132456078161685520.
    let health = ingress.health.get().expect("health");
    assert_eq!(health["LastUpdateTime"].as_u64(), Some(132456078161685521));

    let ranges = ingress.mac_pools.get().expect("MAC pools");
    assert_eq!(ranges.len(), 1);
    assert_eq!(
        said!(ranges[0].start_mac_address),
        Some("00-15-5D-FC-A0-00")
    );
    assert_eq!(said!(ranges[0].end_mac_address), Some("00-15-5D-FC-AF-FF"));

    let extensions = ingress.extensions.get().expect("extensions");
    let enabled: Vec<_> = extensions
        .iter()
        .map(|extension| extension.is_enabled.get().copied())
        .collect();
    assert_eq!(enabled, [Some(false), Some(true), Some(true)]);

    let subnets = ingress.subnets.get().expect("subnets");
    assert_eq!(said!(subnets[0].address_prefix), Some("10.0.0.0/24"));
    assert_eq!(said!(subnets[0].gateway_address), Some("10.0.0.1"));
    assert_eq!(subnets[0].object_type.get(), Some(&5));
    let policies = subnets[0].policies.get().expect("policies");
    assert_eq!(said!(policies[0].policy_type), Some("VSID"));
    assert_eq!(policies[0].extra["VSID"], json!(4096));
}

#[test]
fn endpoints_of_a_swarm_node_say_what_the_file_says() {
    let Some(corpus) = corpus_or_skip("endpoints_of_a_swarm_node_say_what_the_file_says") else {
        return;
    };
    let file = recorded(&corpus, "json-v1", "02-");
    let endpoint = v1::Endpoint::from_value(&file[0]).expect("an object");
    assert_eq!(said!(endpoint.ip_address), Some("10.0.0.4"));
    assert_eq!(endpoint.prefix_length.get(), Some(&24));
    assert_eq!(said!(endpoint.gateway_address), Some("10.0.0.1"));
    assert_eq!(said!(endpoint.mac_address), Some("00-15-5D-FC-A8-61"));
    assert_eq!(endpoint.encap_overhead.get(), Some(&50));
    assert_eq!(endpoint.enable_internal_dns.get(), Some(&true));
    assert_eq!(said!(endpoint.virtual_network_name), Some("ingress"));
    assert_eq!(endpoint.state.get(), Some(&2));
    assert_eq!(
        endpoint.shared_containers.get(),
        Some(&vec!["0".repeat(64)])
    );
    assert_eq!(
        endpoint.extra["CreateProcessingStartTime"].as_u64(),
        Some(132456078214552553)
    );
    let policies = endpoint.policies.get().expect("policies");
    assert_eq!(policies[0].extra["PA"], json!("192.168.100.100"));
    assert_eq!(said!(policies[1].policy_type), Some("OutBoundNAT"));

    // The author of the older set turned times into a text of zeros.
    let file = recorded(&corpus, "json-v1", "17-");
    let endpoint = v1::Endpoint::from_value(&file[0]).expect("an object");
    assert_eq!(
        endpoint.extra["CreateProcessingStartTime"],
        json!("000000000000000000")
    );
    assert_eq!(
        endpoint.extra["StartTime"].as_u64(),
        Some(132457896301704661)
    );
}

#[test]
fn policy_lists_of_a_swarm_node_say_what_the_file_says() {
    let Some(corpus) = corpus_or_skip("policy_lists_of_a_swarm_node_say_what_the_file_says") else {
        return;
    };
    let file = recorded(&corpus, "json-v1", "03-");
    let published = v1::PolicyList::from_value(&file[0]).expect("an object");
    assert_eq!(published.flags.get(), Some(&1024));
    assert_eq!(published.is_applied.get(), Some(&false));
    assert_eq!(published.state.get(), Some(&2));
    assert_eq!(
        published.references.get(),
        Some(&vec![
            "/endpoints/B6171229-327F-4D00-B3CE-24AB78BD7BA5".to_owned()
        ])
    );
    let elb: v1::Elb = published.policies.get().expect("policies")[0].settings_as();
    assert_eq!(elb.external_port.get(), Some(&8080));
    assert_eq!(elb.internal_port.get(), Some(&80));
    assert_eq!(elb.protocol.get(), Some(&6));
    assert_eq!(said!(elb.source_vip), Some("10.0.0.2"));
    assert!(elb.ilb.is_absent() && elb.vips.is_absent() && elb.is_dsr.is_absent());

    let internal = v1::PolicyList::from_value(&file[2]).expect("an object");
    let elb: v1::Elb = internal.policies.get().expect("policies")[0].settings_as();
    assert_eq!(elb.ilb.get(), Some(&true));
    assert_eq!(elb.vips.get(), Some(&vec!["10.0.0.3".to_owned()]));
    assert_eq!(elb.external_port.get(), Some(&0));
}

#[test]
fn an_envelope_of_hnscall_says_what_the_file_says() {
    let Some(corpus) = corpus_or_skip("an_envelope_of_hnscall_says_what_the_file_says") else {
        return;
    };
    let envelope =
        v1::Envelope::from_json(&text(&corpus, "json-v1", "34-")).expect("the file is JSON");
    assert_eq!(envelope.success.get(), Some(&true));
    assert!(envelope.error.is_absent());
    let network =
        v1::Network::from_value(envelope.output.get().expect("an output")).expect("an object");
    assert_eq!(network.version.get(), Some(&55834574851)); // 13.3
    assert_eq!(network.flags.get(), Some(&8));
    assert_eq!(
        said!(network.nat_name),
        Some("NATEBB494F4-4929-4CBA-A426-472E8CEB3E93")
    );
    let pools = network.mac_pools.get().expect("MAC pools");
    assert_eq!(said!(pools[0].end_mac_address), Some("00-15-5D-EC-3F-FF"));
    let policies = network.policies.get().expect("policies");
    assert_eq!(policies[0].extra["VLAN"], json!(2));
    let subnet = &network.subnets.get().expect("subnets")[0];
    assert_eq!(said!(subnet.address_prefix), Some("192.168.0.0/22"));
    let range = &subnet.ip_subnets.get().expect("ranges")[0];
    assert_eq!(range.flags.get(), Some(&3));
    assert_eq!(range.object_type.get(), Some(&6));
    assert_eq!(
        range.health.get().expect("health")["LastUpdateTime"].as_u64(),
        Some(133928875497599495)
    );
    // HNS misspells this key for good.
    let resources = network.resources.get().expect("resources");
    assert_eq!(resources["Allocators"][0]["CompartmendId"], json!(0));

    // Older HNS puts `Output` first.
    let envelope =
        v1::Envelope::from_json(&text(&corpus, "requests", "05-")).expect("the file is JSON");
    let network =
        v1::Network::from_value(envelope.output.get().expect("an output")).expect("an object");
    assert_eq!(envelope.success.get(), Some(&true));
    assert_eq!(network.version.get(), Some(&38654705666)); // 9.2
    assert_eq!(said!(network.network_type), Some("L2Bridge"));
}

#[test]
fn a_v1_request_of_a_person_says_what_the_file_says() {
    let Some(corpus) = corpus_or_skip("a_v1_request_of_a_person_says_what_the_file_says") else {
        return;
    };
    let network = v1::Network::from_value(&recorded(&corpus, "json-v1", "36-")).expect("an object");
    assert_eq!(said!(network.network_type), Some("ICS"));
    assert_eq!(network.flags.get(), Some(&9));
    assert_eq!(network.isolate_switch.get(), Some(&true));
    assert_eq!(network.max_concurrent_endpoints.get(), Some(&1));
    assert_eq!(
        said!(network.dns_server_list),
        Some("192.168.5.1, 192.168.5.2")
    );
    assert!(network.version.is_absent());
}

#[test]
fn samples_of_the_documentation_say_what_they_mean() {
    let Some(corpus) = corpus_or_skip("samples_of_the_documentation_say_what_they_mean") else {
        return;
    };
    // Types as numbers, and a policy whose settings stand beside its type.
    let sample = mended(&text(&corpus, "json-v2", "01-"));
    assert_kept_by_every_kind(&sample);
    let network = Network::from_value(&sample).expect("an object");
    assert_eq!(network.network_type.get(), Some(&NetworkType::Nat));
    assert_eq!(said!(network.owner), Some("WDAGNetwork"));
    let ipam = &network.ipams.get().expect("ipams")[0];
    assert_eq!(ipam.ipam_type.get(), Some(&IpamType::Static));
    let subnet = &ipam.subnets.get().expect("subnets")[0];
    let policy = &subnet.policies.get().expect("policies")[0];
    let SubnetPolicy::Vlan(Isolation { isolation_id, .. }) = SubnetPolicy::of(policy) else {
        panic!("{policy:?} is a VLAN policy");
    };
    assert_eq!(isolation_id.get(), Some(&100));

    // The key `DNS`, and a list that is one text: told as odd, and kept.
    let sample = mended(&text(&corpus, "json-v2", "02-"));
    assert_kept_by_every_kind(&sample);
    let endpoint = Endpoint::from_value(&sample).expect("an object");
    let dns = endpoint.dns.get().expect("found in another case");
    assert_eq!(dns.server_list.odd(), Some(&json!("10.0.0.10")));
    assert_eq!(
        endpoint.odd_fields(),
        [("/DNS/ServerList".to_owned(), &json!("10.0.0.10"))]
    );
    assert_eq!(
        endpoint.host_compute_network.get().and_then(|id| id.guid()),
        "87fdcf16-d210-426e-959d-2a1d4f41d6d3".parse().ok()
    );

    let sample = mended(&text(&corpus, "json-v2", "06-"));
    assert_kept_by_every_kind(&sample);
    let balancer = LoadBalancer::from_value(&sample).expect("an object");
    let port = &balancer.port_mappings.get().expect("ports")[0];
    assert_eq!(port.internal_port.get(), Some(&8080));
    assert_eq!(port.external_port.get(), Some(&80));
    assert_eq!(balancer.extra["VirtualIPs"], json!(["10.0.0.10"]));
    assert_eq!(balancer.extra["EnableDirectServerReturn"], json!(true));

    // The sample names ResourceType twice; to JSON readers the last one counts.
    let request =
        ModifyRequest::from_value(&recorded(&corpus, "json-v2", "05-")).expect("an object");
    assert_eq!(request.resource_type.get(), Some(&json!(0)));
    assert!(request.request_type.is_absent());
    let settings = NamespaceEndpointSettings::from_value(request.settings.get().expect("settings"))
        .expect("an object");
    assert_eq!(
        settings.endpoint_id.get().and_then(|id| id.guid()),
        "87fdcf16-d210-426e-959d-2a1d4f41d6d1".parse().ok()
    );
}

#[test]
fn a_load_balancer_in_a_log_says_what_the_log_says() {
    let Some(corpus) = corpus_or_skip("a_load_balancer_in_a_log_says_what_the_log_says") else {
        return;
    };
    let logged = mended(&text(&corpus, "json-v2", "09-"));
    assert_kept_by_every_kind(&logged);
    let balancer = LoadBalancer::from_value(&logged).expect("an object");
    assert_eq!(balancer.odd_fields(), []);
    let endpoints = balancer.host_compute_endpoints.get().expect("backends");
    assert_eq!(endpoints.len(), 3);
    assert_eq!(endpoints[1].0, "e84bad42-a6ee-40a8-8145-c9f084654774");
    assert_eq!(said!(balancer.source_vip), Some("100.244.206.66"));
    assert_eq!(
        balancer.frontend_vips.get(),
        Some(&vec!["10.99.234.145".to_owned()])
    );
    let port = &balancer.port_mappings.get().expect("ports")[0];
    assert_eq!(
        (port.protocol.get(), port.internal_port.get()),
        (Some(&6), Some(&8080))
    );
    assert!(port.distribution_type.is_absent());
    let version = balancer.schema_version.get().expect("a version");
    assert_eq!(version.major.get(), Some(&2));
}

#[test]
fn acls_of_shipped_configurations_say_what_the_files_say() {
    let Some(corpus) = corpus_or_skip("acls_of_shipped_configurations_say_what_the_files_say")
    else {
        return;
    };
    // Flat, as v1 has them: the base set of AKS with the restriction of the metadata service.
    let base = acls(&recorded(&corpus, "requests", "32-"));
    let told: Vec<_> = base
        .iter()
        .map(|acl| {
            (
                acl.action.get().copied(),
                acl.direction.get().copied(),
                said!(acl.remote_addresses),
                said!(acl.remote_ports),
                acl.priority.get().copied(),
                acl.rule_type.get().copied(),
            )
        })
        .collect();
    let block = |address, port| {
        (
            Some(AclAction::Block),
            Some(AclDirection::Out),
            Some(address),
            Some(port),
            Some(200),
            Some(AclRuleType::Switch),
        )
    };
    let allow = |direction| {
        (
            Some(AclAction::Allow),
            Some(direction),
            None,
            None,
            Some(65500),
            None,
        )
    };
    assert_eq!(
        told,
        [
            block("169.254.169.254/32", "80"),
            block("168.63.129.16/32", "80"),
            block("168.63.129.16/32", "32526"),
            allow(AclDirection::In),
            allow(AclDirection::Out),
        ]
    );

    // With `Settings`, as v2 has them.
    let layered = acls(&recorded(&corpus, "requests", "25-"));
    let priorities: Vec<_> = layered
        .iter()
        .map(|acl| acl.priority.get().copied())
        .collect();
    assert_eq!(
        priorities,
        [101, 200, 200, 1998, 1998, 1999, 1999, 2000].map(Some)
    );
    assert_eq!(said!(layered[0].local_ports), Some("1111"));
    assert_eq!(said!(layered[0].protocols), Some("6"));
    assert_eq!(said!(layered[6].remote_addresses), Some("10::0/120"));
}

#[test]
fn nat_and_routes_of_shipped_configurations_say_what_the_files_say() {
    let test = "nat_and_routes_of_shipped_configurations_say_what_the_files_say";
    let Some(corpus) = corpus_or_skip(test) else {
        return;
    };
    let file = recorded(&corpus, "requests", "16-");
    let policies = file["delegate"]["policies"].as_array().expect("a list");
    let policy = |index: usize| {
        hcn_schema::Policy::from_value(&policies[index]["value"]).expect("an object")
    };
    let EndpointPolicy::OutBoundNat(OutBoundNat { exceptions, .. }) =
        EndpointPolicy::of(&policy(0))
    else {
        panic!("the first is OutBoundNAT");
    };
    assert_eq!(
        exceptions.get().map(Vec::as_slice),
        Some(&["192.168.0.0/16", "11.0.0.0/8", "10.137.196.0/23"].map(str::to_owned)[..])
    );
    let EndpointPolicy::SdnRoute(SdnRouteSettings {
        destination_prefix,
        need_encap,
        ..
    }) = EndpointPolicy::of(&policy(2))
    else {
        panic!("the third is SDNRoute");
    };
    assert_eq!(said!(destination_prefix), Some("10.137.198.27/32"));
    assert_eq!(need_encap.get(), Some(&true));

    let file = recorded(&corpus, "requests", "15-");
    let policy = v1::Policy::from_value(&file["policies"][0]["value"]).expect("an object");
    let nat: v1::OutBoundNat = policy.settings_as();
    assert_eq!(nat.exception_list.get().map(Vec::len), Some(3));
    assert!(nat.vip.is_absent());
}

#[test]
fn requests_of_real_clients_have_no_odd_field() {
    let Some(traces) = traces_or_skip("requests_of_real_clients_have_no_odd_field") else {
        return;
    };
    let mut policies = 0;
    for (name, document) in traced(&traces) {
        let v1 = document.get("VirtualNetwork").is_some() || document.get("MacPools").is_some();
        let kind_name = match name.as_str() {
            "HcnCreateNetwork" if v1 => "v1::network::Network",
            "HcnCreateEndpoint" if v1 => "v1::endpoint::Endpoint",
            "HNSCall POST /networks/" => "v1::network::Network",
            "HNSCall POST /endpoints/" => "v1::endpoint::Endpoint",
            "HNSCall POST /accelnet/" => continue,
            call if call.starts_with("HNSCall") => "v1::endpoint::EndpointAttach",
            "HcnCreateNetwork" => "network::Network",
            "HcnCreateEndpoint" => "endpoint::Endpoint",
            "HcnCreateNamespace" => "namespace::Namespace",
            "HcnCreateLoadBalancer" | "HcnModifyLoadBalancer" => "load_balancer::LoadBalancer",
            "HcnCreateSdnRoute" => "sdn_route::SdnRoute",
            "HcnModifyEndpoint" | "HcnModifyNetwork" | "HcnModifyNamespace" => {
                "modify::ModifyRequest"
            }
            call if call.starts_with("HcnEnumerate") || call.starts_with("HcnQuery") => {
                "query::Query"
            }
            call if call.starts_with("Hcs") => continue,
            call => panic!("what does {call} send?"),
        };
        let map = document.as_object().expect("clients send objects");
        assert_eq!((kind(kind_name).odd_fields)(map), [], "{name} {document}");
        assert_eq!(
            (kind(kind_name).extra)(map),
            [""; 0],
            "{name}: a key without a field in {document}"
        );
        if kind_name == "modify::ModifyRequest"
            && let Some(settings) = PolicySettings::from_value(&document["Settings"])
        {
            for policy in settings.policies.get().into_iter().flatten() {
                policies += 1;
                let (known, odd) = if name == "HcnModifyNetwork" {
                    let known = !matches!(NetworkPolicy::of(policy), NetworkPolicy::Other(_));
                    (known, NetworkPolicy::odd_fields(policy))
                } else {
                    let known = !matches!(EndpointPolicy::of(policy), EndpointPolicy::Other(_));
                    (known, EndpointPolicy::odd_fields(policy))
                };
                assert!(known, "{policy:?} has a typed view");
                assert_eq!(odd, [], "{policy:?}");
            }
        }
    }
    assert!(policies >= 10, "{policies} policies were sent in requests");
}

#[test]
fn requests_of_real_clients_say_what_the_trace_says() {
    let Some(traces) = traces_or_skip("requests_of_real_clients_say_what_the_trace_says") else {
        return;
    };
    let documents = traced(&traces);
    let find = |name: &str, wanted: &dyn Fn(&Value) -> bool| {
        documents
            .iter()
            .find(|(call, document)| call == name && wanted(document))
            .map(|(_, document)| document)
            .unwrap_or_else(|| panic!("no such {name}"))
    };

    let overlay = find("HcnCreateNetwork", &|network| network["Name"] == "vxlan0");
    let overlay = Network::from_value(overlay).expect("an object");
    assert_eq!(overlay.network_type.get(), Some(&NetworkType::Overlay));
    let subnet = &overlay.ipams.get().expect("ipams")[0]
        .subnets
        .get()
        .expect("subnets")[0];
    assert_eq!(
        SubnetPolicy::of(&subnet.policies.get().expect("policies")[0]),
        SubnetPolicy::Vsid(Isolation {
            isolation_id: 4096.into(),
            ..Isolation::default()
        })
    );
    let route = &subnet.routes.get().expect("routes")[0];
    assert_eq!(said!(route.next_hop), Some("10.245.1.1"));

    // kube-proxy's stand-in for a container on another host.
    let remote = find("HcnCreateEndpoint", &|endpoint| endpoint["Flags"] == 1);
    let remote = Endpoint::from_value(remote).expect("an object");
    assert!(remote.is_remote());
    assert_eq!(remote.flags.get(), Some(&EndpointFlags::REMOTE_ENDPOINT));
    assert_eq!(said!(remote.mac_address), Some("02-11-0a-f5-02-14"));

    let node_port = find("HcnCreateLoadBalancer", &|balancer| {
        balancer["PortMappings"][0]["ExternalPort"] == 30080
    });
    let node_port = LoadBalancer::from_value(node_port).expect("an object");
    let port = &node_port.port_mappings.get().expect("ports")[0];
    assert_eq!(port.distribution_type.get(), Some(&2));
    // 18 = 2 + 16.
    assert_eq!(
        port.flags.get(),
        Some(
            &(LoadBalancerPortMappingFlags::LOCAL_ROUTED_VIP
                | LoadBalancerPortMappingFlags::VIP_EXTERNAL_IP)
        )
    );
    assert!(node_port.frontend_vips.is_absent());

    let route = find("HcnCreateSdnRoute", &|_| true);
    let route = SdnRoute::from_value(route).expect("an object");
    assert!(
        route.routes.is_absent(),
        "Go clients do not use the schema's key"
    );
    let entry = &route.setting.get().expect("routes")[0];
    assert_eq!(said!(entry.next_hop), Some("127.10.0.34"));

    let tiers = find("HcnModifyEndpoint", &|request| {
        request["Settings"]["Policies"][0]["Type"] == "TierAcl"
    });
    let request = ModifyRequest::from_value(tiers).expect("an object");
    assert_eq!(request.request_type.get(), Some(&RequestType::Update));
    let settings =
        PolicySettings::from_value(request.settings.get().expect("settings")).expect("an object");
    let EndpointPolicy::TierAcl(tier) =
        EndpointPolicy::of(&settings.policies.get().expect("policies")[0])
    else {
        panic!("the first is a tier");
    };
    assert_eq!(tier.order.get(), Some(&1001));
    let rules = tier.rules.get().expect("rules");
    assert_eq!(rules[0].action.get(), Some(&AclAction::Pass));
    assert_eq!(rules[1].priority.get(), Some(&2100));
}
