// SPDX-License-Identifier: MIT OR Apache-2.0
//! From documents: ports, addresses, mappings, and dumps that hold anything.

use super::*;

fn compile(networks: &[&str], endpoints: &[&str]) -> (Switch, Vec<Fault>) {
    let documents = Documents {
        networks: networks
            .iter()
            .map(|json| Network::from_json(json).unwrap())
            .collect(),
        endpoints: endpoints
            .iter()
            .map(|json| Endpoint::from_json(json).unwrap())
            .collect(),
        ..Documents::default()
    };
    Switch::compile(&documents, &Semantics::default())
}

fn pointers(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.pointer.as_str()).collect()
}

const NETWORK_JSON: &str = r#"{"ID":"00000000-0000-0000-0000-00000000000a","Name":"n","Type":"overlay","Ipams":[{"Subnets":[
    {"IpAddressPrefix":"10.0.0.0/24","Routes":[{"NextHop":"10.0.0.1","DestinationPrefix":"0.0.0.0/0"}]},
    {"IpAddressPrefix":"fd00::/64","Routes":[{"NextHop":"fd00::1","DestinationPrefix":"::/0"},{"NextHop":"fd00::2","DestinationPrefix":"fd01::/64"}]}]}]}"#;

fn endpoint(id: u128, rest: &str) -> String {
    format!(
        r#"{{"ID":"{}","HostComputeNetwork":"00000000-0000-0000-0000-00000000000A","MacAddress":"00-15-5D-00-00-01"{rest}}}"#,
        Guid(id)
    )
}

#[test]
fn a_port_has_what_its_documents_say() {
    let json = endpoint(
        7,
        r#","Name":"web","IpConfigurations":[{"IpAddress":"10.0.0.7"},{"IpAddress":"fd00::7","PrefixLength":128},{"IpAddress":"192.168.0.7"}],
        "Routes":[{"NextHop":"10.0.0.9","DestinationPrefix":"0.0.0.0/0"},{"NextHop":"10.0.0.8","DestinationPrefix":"10.9.0.0/16"}]"#,
    );
    let (switch, faults) = compile(&[NETWORK_JSON], &[&json]);
    assert_eq!(faults, []);
    let network = &switch.networks[0];
    assert_eq!(
        (network.name.as_str(), network.network_type),
        ("n", NetworkType::Overlay)
    );
    assert_eq!(
        network.subnets,
        [
            (
                "10.0.0.0/24".parse().unwrap(),
                Some("10.0.0.1".parse().unwrap())
            ),
            (
                "fd00::/64".parse().unwrap(),
                Some("fd00::1".parse().unwrap())
            ),
        ]
    );
    let port = &switch.ports[0];
    assert_eq!(
        (port.endpoint, port.name.as_str(), port.network),
        (Guid(7), "web", 0)
    );
    assert_eq!(port.mac_address.to_string(), "00-15-5D-00-00-01");
    // From the document, from the subnet, and alone where no subnet has it.
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    assert_eq!(
        port.addresses,
        [
            (address("10.0.0.7"), 24),
            (address("fd00::7"), 128),
            (address("192.168.0.7"), 32)
        ]
    );
    // Its own default route for IPv4, that of the subnet for IPv6.
    assert_eq!(port.gateways, [address("10.0.0.9"), address("fd00::1")]);
    assert_eq!(switch.port_of(Guid(7)), Some(PortIndex(0)));
    assert_eq!(switch.port_of(Guid(8)), None);
    assert_eq!(switch.port_with(address("fd00::7")), Some(PortIndex(0)));
    assert_eq!(switch.port_with(address("fd00::8")), None);
}

#[test]
fn a_network_without_type_is_nat() {
    let (switch, faults) = compile(&[r#"{"ID":"00000000-0000-0000-0000-00000000000a"}"#], &[]);
    assert_eq!(faults, []);
    assert_eq!(switch.networks[0].network_type, NetworkType::Nat);
}

#[test]
fn remote_endpoints_have_no_port_and_take_no_rules() {
    let block = r#","Flags":1,"IpConfigurations":[{"IpAddress":"10.0.0.7"}],"Policies":[{"Type":"ACL","Settings":{"Action":"Block","Direction":"In"}}]"#;
    let local = r#","IpConfigurations":[{"IpAddress":"10.0.0.8"}]"#;
    let (switch, _) = compile(&[NETWORK_JSON], &[&endpoint(7, block), &endpoint(8, local)]);
    assert_eq!(switch.ports.len(), 1);
    assert_eq!(switch.port_of(Guid(8)), Some(PortIndex(0)));
    let verdict = switch.verdict(&flow("tcp 10.0.0.8:50000 -> 10.0.0.7:80"));
    assert_eq!(verdict.decision, Decision::Allow);
    assert_eq!(verdict.steps.len(), 1);
}

#[test]
fn a_verdict_stops_at_the_first_port_that_blocks() {
    const BLOCK_OUT: &str = r#"{"Action":"Block","Direction":"Out"}"#;
    let switch = Scene::with_acls(&[BLOCK_OUT]).switch();
    let verdict = switch.verdict(&flow("tcp 10.0.0.1:50000 -> 10.0.0.2:80"));
    assert_eq!(verdict.decision, Decision::Block);
    assert_eq!(verdict.steps.len(), 1);
    assert_eq!(verdict.steps[0].direction, Direction::Out);
    // Inward the default deny of endpoint 1 blocks; endpoint 2 let it out.
    let verdict = switch.verdict(&flow("tcp 10.0.0.2:50000 -> 10.0.0.1:80"));
    let steps: Vec<(Guid, Decision)> = verdict
        .steps
        .iter()
        .map(|step| (step.endpoint, step.decision))
        .collect();
    assert_eq!(
        steps,
        [(Guid(2), Decision::Allow), (Guid(1), Decision::Block)]
    );
}

#[test]
fn what_an_endpoint_sends_to_itself_crosses_no_port() {
    const BLOCK: &str = r#"{"Action":"Block","Direction":"Out"}"#;
    let switch = Scene::with_acls(&[BLOCK]).switch();
    for text in [
        "tcp 10.0.0.1:50000 -> 10.0.0.1:80",
        "tcp 127.0.0.1:50000 -> 127.0.0.1:80",
    ] {
        let verdict = switch.verdict(&flow(text));
        assert_eq!(
            (verdict.decision, verdict.steps.len()),
            (Decision::Allow, 0),
            "{text}"
        );
    }
}

#[test]
fn a_flow_between_strangers_crosses_no_port() {
    let verdict = Scene::with_acls(&[])
        .switch()
        .verdict(&flow("tcp 1.1.1.1:50000 -> 8.8.8.8:80"));
    assert_eq!(
        (verdict.decision, verdict.steps.len()),
        (Decision::Allow, 0)
    );
}

#[test]
fn of_networks_that_share_addresses_a_flow_stays_on_one() {
    const OTHER: &str = r#"{"ID":"00000000-0000-0000-0000-00000000000b","Type":"Internal"}"#;
    let on_a = |id, address| {
        endpoint(
            id,
            &format!(r#","IpConfigurations":[{{"IpAddress":"{address}"}}]"#),
        )
    };
    let on_b = |id, address| on_a(id, address).replace("00000000000A", "00000000000B");
    let endpoints = [
        on_a(1, "10.0.0.1"),
        on_b(2, "10.0.0.1"),
        on_b(3, "10.0.0.3"),
        on_a(4, "10.0.0.3"),
    ];
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    let (switch, _) = compile(&[NETWORK_JSON, OTHER], &endpoints);
    assert_eq!(
        switch.port_with("10.0.0.1".parse().unwrap()),
        Some(PortIndex(0))
    );
    let verdict = switch.verdict(&flow("tcp 10.0.0.1:50000 -> 10.0.0.3:80"));
    let ends: Vec<Guid> = verdict.steps.iter().map(|step| step.endpoint).collect();
    assert_eq!(ends, [Guid(1), Guid(4)]);
}

#[test]
fn port_mappings_lead_to_their_port_and_tcp_is_meant_where_nothing_is_said() {
    let json = endpoint(
        7,
        r#","Policies":[{"Type":"PortMapping","Settings":{"Protocol":17,"InternalPort":53,"ExternalPort":5353}},
        {"Type":"PORTMAPPING","Settings":{"InternalPort":"80","ExternalPort":8080,"Flags":1}}]"#,
    );
    let (switch, faults) = compile(&[NETWORK_JSON], &[&json]);
    assert_eq!(faults, []);
    let mapping = |place, protocol, external_port, internal_port| PortMapping {
        port: PortIndex(0),
        protocol,
        external_port,
        internal_port,
        pointer: format!("/Policies/{place}/Settings"),
    };
    assert_eq!(
        switch.port_mappings,
        [
            mapping(0, Protocol::UDP, 5353, 53),
            mapping(1, Protocol::TCP, 8080, 80)
        ]
    );
}

#[test]
fn mappings_that_lead_nowhere_or_twice_are_left_out_and_told() {
    let policies = r#","Policies":[
        {"Type":"PortMapping","Settings":{"InternalPort":80,"ExternalPort":8080}},
        {"Type":"PortMapping","Settings":{"InternalPort":81,"ExternalPort":8080}},
        {"Type":"PortMapping","Settings":{"InternalPort":0,"ExternalPort":8081}},
        {"Type":"PortMapping","Settings":{"InternalPort":80}},
        {"Type":"PortMapping","Settings":{"Protocol":1,"InternalPort":80,"ExternalPort":8082}},
        {"Type":"PortMapping","Settings":{"Protocol":70000,"InternalPort":80,"ExternalPort":"many"}}]"#;
    let (switch, faults) = compile(&[NETWORK_JSON], &[&endpoint(7, policies)]);
    assert_eq!(switch.port_mappings.len(), 1);
    assert_eq!(switch.port_mappings[0].internal_port, 80);
    assert_eq!(
        pointers(&faults),
        [
            "/Policies/2/Settings/InternalPort",
            "/Policies/3/Settings/ExternalPort",
            "/Policies/4/Settings/Protocol",
            "/Policies/5/Settings/ExternalPort",
            "/Policies/5/Settings/ExternalPort",
            "/Policies/5/Settings/Protocol",
            "/Policies/1/Settings",
        ]
    );
}

#[test]
fn a_rule_that_cannot_be_read_is_told_and_counts_for_the_default_deny() {
    let (switch, faults) =
        Scene::with_acls(&[r#"{"Action":"Allow","Direction":"In","LocalAddresses":"Any"}"#])
            .compile();
    assert_eq!(
        faults,
        [Fault {
            object: Guid(1),
            pointer: "/Policies/0/Settings/LocalAddresses".to_owned(),
            message: "LocalAddresses: \"Any\" is no address; leave the field out to mean every address; it is left out".to_owned(),
            lacks: None,
        }]
    );
    blocks(&switch, "tcp 10.0.0.2:1 -> 10.0.0.1:80");
    blocks(&switch, "tcp 10.0.0.1:1 -> 10.0.0.2:80");
}

#[test]
fn a_rule_whose_direction_cannot_be_read_counts_for_both() {
    let (switch, faults) = Scene::with_acls(&[r#"{"Action":"Allow","Direction":"Up"}"#])
        .semantics(|semantics| semantics.default_deny = DefaultDeny::RuledDirections)
        .compile();
    assert_eq!(pointers(&faults), ["/Policies/0/Settings/Direction"]);
    blocks(&switch, "tcp 10.0.0.2:1 -> 10.0.0.1:80");
    blocks(&switch, "tcp 10.0.0.1:1 -> 10.0.0.2:80");
}

#[test]
fn a_dump_with_names_of_protocols_is_read_and_told() {
    let (switch, faults) = Scene::with_acls(&[
        r#"{"Action":"Block","Direction":"In","Protocols":"TCP"}"#,
        r#"{"Action":"Allow","Direction":"In","Priority":9}"#,
    ])
    .compile();
    assert_eq!(pointers(&faults), ["/Policies/0/Settings/Protocols"]);
    assert_eq!(
        faults[0].message,
        "Protocols: \"TCP\" is a name; write the protocol's number, 6; it is read as that"
    );
    blocks(&switch, "tcp 10.0.0.2:1 -> 10.0.0.1:80");
    allows(&switch, "udp 10.0.0.2:1 -> 10.0.0.1:80");
}

#[test]
fn settings_beside_the_type_are_read() {
    let switch = Scene::new()
        .endpoint(
            1,
            vec![r#"{"Type":"ACL","Action":"Block","Direction":"In","Protocols":"17"}"#.to_owned()],
        )
        .switch();
    assert_eq!(
        decider(&switch, "udp 10.0.0.2:1 -> 10.0.0.1:80"),
        "/Policies/0"
    );
}

#[test]
fn endpoints_without_their_network_still_have_a_port() {
    let json = endpoint(
        7,
        r#","IpConfigurations":[{"IpAddress":"10.0.0.7","PrefixLength":20}],"Policies":[{"Type":"ACL","Settings":{"Action":"Block","Direction":"In"}}]"#,
    );
    let (switch, faults) = compile(&[], &[&json]);
    assert_eq!(pointers(&faults), ["/HostComputeNetwork"]);
    assert_eq!(switch.networks[0].id, Guid(10));
    assert_eq!(switch.ports[0].network, 0);
    blocks(&switch, "tcp 10.0.0.2:1 -> 10.0.0.7:80");
}

#[test]
fn a_dump_may_hold_anything() {
    let (switch, faults) = compile(
        &[
            r#"{"ID":"none"}"#,
            r#"{"ID":"00000000-0000-0000-0000-00000000000a","Name":["n"],"Type":"Quantum","Policies":"none","Ipams":[{"Subnets":[{"IpAddressPrefix":"10.0.0.0/99"},
                {"IpAddressPrefix":7,"Routes":5},{"IpAddressPrefix":"10.0.0.0/24","Routes":[{"NextHop":"here","DestinationPrefix":"0.0.0.0/0"}]}]}]}"#,
            r#"{"ID":"{00000000-0000-0000-0000-00000000000A}"}"#,
        ],
        &[
            r#"{}"#,
            &endpoint(7, r#","IpConfigurations":[{"IpAddress":"ten"},{"IpAddress":"10.0.0.7","PrefixLength":64},{}],"Flags":"Odd","Policies":{}"#),
            &endpoint(7, ""),
            &endpoint(8, r#","Policies":[{"Type":"TierAcl","Settings":{"Direction":"In","TierAclRules":[{"TierAclRuleAction":"Allow","LocalPorts":"x"}]}},{"Type":"TierAcl","Settings":{}},{"Type":7},{"Type":"ACL","Settings":[]}]"#)
                .replace("00-15-5D-00-00-01", "nothing"),
        ],
    );
    assert_eq!(
        pointers(&faults),
        [
            "/ID",
            "/Type",
            "/Ipams/0/Subnets/0/IpAddressPrefix",
            "/Ipams/0/Subnets/1/IpAddressPrefix",
            "/Ipams/0/Subnets/2/Routes/0/NextHop",
            "/Name",
            "/Policies",
            "/ID",
            "/ID",
            "/IpConfigurations/0/IpAddress",
            "/IpConfigurations/1/PrefixLength",
            "/Flags",
            "/Policies",
            "/ID",
            "/MacAddress",
            "/Policies/0/Settings/TierAclRules/0/LocalPorts",
            "/Policies/1/Settings/Direction",
            "/Policies/3/Action",
        ]
    );
    assert_eq!(switch.ports.len(), 2);
    assert_eq!(
        switch.ports[0].addresses,
        [("10.0.0.7".parse().unwrap(), 24)]
    );
    for port in [0, 1, 2, u32::MAX] {
        let ruling = switch.rule(
            PortIndex(port),
            Direction::In,
            &flow("tcp 10.0.0.2:1 -> 10.0.0.7:80"),
        );
        switch.cause(
            PortIndex(port),
            Direction::In,
            &flow("tcp 10.0.0.2:1 -> 10.0.0.7:80"),
            ruling,
        );
    }
}

#[test]
fn clones_share_the_compiled_rules() {
    let switch = Scene::with_acls(&[r#"{"Action":"Allow","Direction":"In"}"#]).switch();
    let clone = switch.clone();
    assert!(Arc::ptr_eq(&switch.rules, &clone.rules));
}
