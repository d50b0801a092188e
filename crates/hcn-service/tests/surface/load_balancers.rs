// SPDX-License-Identifier: MIT OR Apache-2.0
//! Load balancers (hns-behaviour 2.6, 3.1, 5.6, 6.4, 7.4).

use hcn_api::{Answer, HcnCode, Hns, Kind, ObjectId, PortAccess, PortProtocol};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::{
    host::Host,
    scene::{code, mapping, parsed, refusal, two},
};

/// The load balancer of hcsshim's `TestCreateDeleteLoadBalancer`.
fn of(backends: &[Guid]) -> Value {
    let backends: Vec<String> = backends.iter().map(Guid::to_string).collect();
    json!({
        "HostComputeEndpoints": backends,
        "SourceVIP": "10.0.0.1",
        "FrontendVIPs": ["1.1.1.2", "1.1.1.3"],
        "PortMappings": [{"Protocol": 6, "InternalPort": 8080, "ExternalPort": 8090}],
    })
}

fn with(mut document: Value, key: &str, value: Value) -> Value {
    document[key] = value;
    document
}

fn create(host: &Host, document: Value) -> Answer<Guid> {
    let document = two(document).to_string();
    host.service
        .create(Kind::LoadBalancer, None, Guid::ZERO, &document)
}

fn ports(value: Value) -> Value {
    json!([value])
}

/// 7.4: the source address need not be in a subnet; backends come back in upper case, by which kube-proxy and hcsshim compare (2.1).
#[test]
fn a_load_balancer_comes_back_as_it_was_made() {
    let host = Host::new();
    let network = host.overlay();
    let pod = host.pod(network);
    let id = host.balancer(of(&[pod]));
    assert_eq!(
        host.two(Kind::LoadBalancer, id),
        json!({
            "ID": id.upper(),
            // HNS 15.0 is 15 << 32.
            "Version": 64424509440u64,
            "HostComputeEndpoints": [pod.upper()],
            "SourceVIP": "10.0.0.1",
            "FrontendVIPs": ["1.1.1.2", "1.1.1.3"],
            "PortMappings": [{"Protocol": 6, "InternalPort": 8080, "ExternalPort": 8090}],
            "SchemaVersion": {"Major": 2, "Minor": 0},
        })
    );
    assert_eq!(
        host.find(Kind::LoadBalancer, &json!({"ID": id.to_string()})),
        [id]
    );
    // kube-proxy asks for the empty id and wants nothing (clients, 1.6).
    assert_eq!(host.find(Kind::LoadBalancer, &json!({"ID": ""})), []);
    host.delete(Kind::LoadBalancer, id).unwrap();
    assert_eq!(host.count(Kind::LoadBalancer), 0);
    let gone = ObjectId {
        kind: Kind::LoadBalancer,
        id,
    };
    assert_eq!(code(host.service.open(gone)), HcnCode::ERROR_NOT_FOUND);
    assert_eq!(code(host.service.delete(gone)), HcnCode::ERROR_NOT_FOUND);
}

/// 7.4 `TestAddDSRLoadBalancer`, `TestAddILBLoadBalancer`; 2.6 for the bits; kube-proxy's node port has 18.
#[test]
fn flags_and_numbers_come_back_exactly() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    for (port, flags) in [(80u16, 8u32), (81, 1), (82, 18), (83, 16)] {
        let mapping = json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": port, "DistributionType": 2, "Flags": flags});
        let document = with(
            with(of(&[pod]), "PortMappings", ports(mapping.clone())),
            "Flags",
            json!(1),
        );
        let id = host.balancer(document);
        let answer = host.two(Kind::LoadBalancer, id);
        assert_eq!(answer["Flags"], 1);
        assert_eq!(answer["PortMappings"], json!([mapping]));
    }
}

/// 2.1: PowerShell sends numbers as texts, enums as words; Go reads numbers only.
#[test]
fn texts_that_hold_numbers_come_back_as_numbers() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let sent = json!({"Protocol": "6", "InternalPort": "80", "ExternalPort": "8080", "DistributionType": "SourceIP"});
    let id = host.balancer(with(of(&[pod]), "PortMappings", ports(sent)));
    assert_eq!(
        host.two(Kind::LoadBalancer, id)["PortMappings"],
        json!([{"Protocol": 6, "InternalPort": 80, "ExternalPort": 8080, "DistributionType": 2}])
    );
}

/// 7.4 `TestLoadBalancerAddRemoveEndpoint`: delete and create with the same ID in the document.
#[test]
fn the_id_of_the_document_is_taken_and_free_again_after_delete() {
    let host = Host::new();
    let network = host.overlay();
    let (one, other) = (host.pod(network), host.pod(network));
    let id = host.balancer(of(&[one]));
    let again = with(of(&[one, other]), "ID", json!(id.upper()));
    assert_eq!(code(create(&host, again.clone())).0, 0x803b_0012);
    host.delete(Kind::LoadBalancer, id).unwrap();
    assert_eq!(create(&host, again).unwrap(), id);
    let backends = &host.two(Kind::LoadBalancer, id)["HostComputeEndpoints"];
    assert_eq!(backends, &json!([one.upper(), other.upper()]));
}

/// 5.6: the endpoint list is a set.
#[test]
fn a_backend_named_twice_is_one() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let id = host.balancer(of(&[pod, pod]));
    assert_eq!(
        host.two(Kind::LoadBalancer, id)["HostComputeEndpoints"],
        json!([pod.upper()])
    );
}

/// 5.6: same virtual address, external port and protocol; 7.4: free at once after delete.
#[test]
fn a_front_end_is_given_out_once_and_is_free_at_once() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let first = host.balancer(of(&[pod]));
    let taken = refusal(create(
        &host,
        with(of(&[pod]), "FrontendVIPs", json!(["9.9.9.9", "1.1.1.3"])),
    ));
    assert_eq!(taken.code.0, 0x803b_0013, "{taken}");
    assert_eq!(host.count(Kind::LoadBalancer), 1);
    // 9.9.9.9 was not kept by the one that failed.
    host.balancer(with(of(&[pod]), "FrontendVIPs", json!(["9.9.9.9"])));
    let udp = json!({"Protocol": 17, "InternalPort": 8080, "ExternalPort": 8090});
    host.balancer(with(of(&[pod]), "PortMappings", ports(udp)));
    let other = json!({"Protocol": 6, "InternalPort": 8080, "ExternalPort": 8091});
    host.balancer(with(of(&[pod]), "PortMappings", ports(other)));
    host.delete(Kind::LoadBalancer, first).unwrap();
    host.balancer(of(&[pod]));
}

/// 5.6: no virtual address means any of the host's; 3.1: 0x803b0013 for a host port that is taken.
#[test]
fn a_node_port_is_a_port_of_the_host() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let node = |flags: u32| {
        let mut document = with(of(&[pod]), "FrontendVIPs", json!([]));
        document["Flags"] = json!(flags);
        document
    };
    host.balancer(node(0));
    // kube-proxy makes one a family.
    host.balancer(node(2));
    assert_eq!(code(create(&host, node(1))).0, 0x803b_0013);
    let nat = host.nat();
    let published = |external: u32| {
        let policies = json!([mapping(6, 80, external)]);
        let document = two(json!({"Policies": policies})).to_string();
        host.service
            .create(Kind::Endpoint, Some(nat), Guid::ZERO, &document)
    };
    assert_eq!(code(published(8090)).0, 0x803b_0013);
    published(9000).unwrap();
    let other = json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 9000});
    assert_eq!(
        code(create(&host, with(node(0), "PortMappings", ports(other)))).0,
        0x803b_0013
    );
}

/// Q49: one port of the host, whichever family and whoever was first.
#[test]
fn a_node_port_of_ipv6_is_the_same_port_of_the_host() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let node = |port: u16| {
        let ports = ports(json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": port}));
        let document = with(of(&[pod]), "FrontendVIPs", json!([]));
        with(with(document, "Flags", json!(2)), "PortMappings", ports)
    };
    let nat = host.nat();
    let publish = |port: u32| {
        let document = two(json!({"Policies": [mapping(6, 80, port)]})).to_string();
        host.service
            .create(Kind::Endpoint, Some(nat), Guid::ZERO, &document)
    };
    let guest = host.create(Kind::GuestNetworkService, None, &two(json!({})));
    let reserve = |port| {
        host.service
            .reserve_port(guest, PortProtocol::Tcp, PortAccess::Exclusive, port)
    };
    host.balancer(node(5000));
    assert_eq!(code(reserve(5000)).0, 0x803b_0013);
    assert_eq!(code(publish(5000)).0, 0x803b_0013);
    reserve(5001).unwrap();
    assert_eq!(code(create(&host, node(5001))).0, 0x803b_0013);
    publish(5002).unwrap();
    assert_eq!(code(create(&host, node(5002))).0, 0x803b_0013);
}

/// 3.1, and 3.3 for what was refused changing nothing.
#[test]
fn what_hns_refuses_has_its_code_and_leaves_nothing() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let base = of(&[pod]);
    let stranger = "11111111-2222-3333-4444-555555555555";
    let port = |internal: u32, external: u32| {
        ports(json!({"Protocol": 6, "InternalPort": internal, "ExternalPort": external}))
    };
    for (document, number, field) in [
        (
            with(base.clone(), "HostComputeEndpoints", json!([])),
            0x803b_000d,
            "/HostComputeEndpoints",
        ),
        (
            with(base.clone(), "HostComputeEndpoints", json!([stranger])),
            0x803b_001c,
            "/HostComputeEndpoints/0",
        ),
        (
            with(base.clone(), "HostComputeEndpoints", json!(["pod"])),
            0x803b_0019,
            "/HostComputeEndpoints/0",
        ),
        (
            with(base.clone(), "HostComputeEndpoints", json!(5)),
            0x803b_000d,
            "/HostComputeEndpoints",
        ),
        (
            with(base.clone(), "PortMappings", port(0, 80)),
            0x803b_002d,
            "/PortMappings/0/InternalPort",
        ),
        (
            with(base.clone(), "PortMappings", port(0, 0)),
            0x803b_002d,
            "/PortMappings/0/InternalPort",
        ),
        (
            with(base.clone(), "PortMappings", port(80, 0)),
            0x803b_000d,
            "/PortMappings/0/ExternalPort",
        ),
        (
            with(base.clone(), "PortMappings", port(80, 70_000)),
            0x803b_000d,
            "/PortMappings/0/ExternalPort",
        ),
        (
            with(base.clone(), "PortMappings", json!([])),
            0x803b_000d,
            "/PortMappings",
        ),
        (
            with(base.clone(), "FrontendVIPs", json!(["any"])),
            0x803b_001e,
            "/FrontendVIPs/0",
        ),
        (
            with(base.clone(), "SourceVIP", json!("here")),
            0x803b_001e,
            "/SourceVIP",
        ),
        (
            with(base.clone(), "HostComputeNetwork", json!(stranger)),
            0x803b_0001,
            "",
        ),
        (with(base.clone(), "ID", json!("x")), 0x803b_0019, "/ID"),
    ] {
        let error = refusal(create(&host, document.clone()));
        assert_eq!(error.code.0, number, "{document}: {error}");
        assert_eq!(error.field.as_deref().unwrap_or(""), field, "{document}");
    }
    let answer = host
        .service
        .create(Kind::LoadBalancer, None, Guid::ZERO, "{");
    assert_eq!(code(answer).0, 0x803b_001b);
    assert_eq!(host.count(Kind::LoadBalancer), 0);
    host.balancer(base);
}

fn modify(host: &Host, id: Guid, document: Value) -> Answer<()> {
    host.modify(Kind::LoadBalancer, id, &two(document))
}

/// 2.9, Q45: E_NOTIMPL before 15.4, nothing at 15.4, the new document from 15.5 on.
#[test]
fn modify_depends_on_the_version() {
    for (version, answer, changed) in [
        ("9.2", Err(0x8000_4001), false),
        ("13.3", Err(0x8000_4001), false),
        ("15.0", Err(0x8000_4001), false),
        ("15.4", Ok(()), false),
        ("16.0", Ok(()), true),
    ] {
        let host = Host::of(version);
        let network = host.overlay();
        let (one, other) = (host.pod(network), host.pod(network));
        let id = host.balancer(of(&[one]));
        let before = host.two(Kind::LoadBalancer, id);
        let result = modify(&host, id, of(&[one, other])).map_err(|error| error.code.0);
        assert_eq!(result, answer, "{version}");
        let after = host.two(Kind::LoadBalancer, id);
        if changed {
            assert_eq!(
                after["HostComputeEndpoints"],
                json!([one.upper(), other.upper()])
            );
        } else {
            assert_eq!(after, before, "{version}");
        }
    }
}

/// 7.4 `TestCreateUpdateDeleteLoadBalancer`: two backends, then one; 5.6: ports are replaced too, and the old ones are free.
#[test]
fn modify_replaces_the_document_and_keeps_the_id() {
    let host = Host::of("16.0");
    let network = host.overlay();
    let (one, other) = (host.pod(network), host.pod(network));
    let id = host.balancer(of(&[one]));
    modify(
        &host,
        id,
        with(
            of(&[one, other]),
            "ID",
            json!("11111111-2222-3333-4444-555555555555"),
        ),
    )
    .unwrap();
    let moved = json!({"Protocol": 6, "InternalPort": 8080, "ExternalPort": 9999});
    modify(
        &host,
        id,
        with(of(&[other]), "PortMappings", ports(moved.clone())),
    )
    .unwrap();
    let answer = host.two(Kind::LoadBalancer, id);
    assert_eq!(answer["ID"], id.upper());
    assert_eq!(answer["HostComputeEndpoints"], json!([other.upper()]));
    assert_eq!(answer["PortMappings"], json!([moved]));
    let neighbour = host.balancer(of(&[one]));
    // What cannot be done changes nothing.
    let before = host.two(Kind::LoadBalancer, id);
    assert_eq!(code(modify(&host, id, of(&[other]))).0, 0x803b_0013);
    assert_eq!(host.two(Kind::LoadBalancer, id), before);
    let request = json!({"RequestType": "Add", "ResourceType": "Endpoint", "Settings": {}});
    assert_eq!(
        code(host.modify(Kind::LoadBalancer, id, &request)).0,
        0x803b_0015
    );
    let stranger = modify(&host, network, of(&[one]));
    assert_eq!(code(stranger), HcnCode::ERROR_NOT_FOUND);
    assert_ne!(neighbour, id);
}

/// Q25: an endpoint may go while a load balancer names it, and stays named.
#[test]
fn a_load_balancer_keeps_the_id_of_an_endpoint_that_is_gone() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let id = host.balancer(of(&[pod]));
    host.delete(Kind::Endpoint, pod).unwrap();
    assert_eq!(
        host.two(Kind::LoadBalancer, id)["HostComputeEndpoints"],
        json!([pod.upper()])
    );
}

/// Q24: with the network from 13 on; before, they stay and cannot be deleted any more.
#[test]
fn what_becomes_of_load_balancers_without_their_network_depends_on_the_version() {
    for version in ["13.3", "15.0", "16.0"] {
        let host = Host::of(version);
        let (overlay, nat) = (host.overlay(), host.nat());
        let stays = host.balancer(with(
            of(&[host.pod(nat)]),
            "FrontendVIPs",
            json!(["2.2.2.2"]),
        ));
        host.balancer(of(&[host.pod(overlay)]));
        host.delete(Kind::Network, overlay).unwrap();
        assert_eq!(
            host.find(Kind::LoadBalancer, &json!({})),
            [stays],
            "{version}"
        );
    }
    let host = Host::of("9.2");
    let overlay = host.overlay();
    let id = host.balancer(of(&[host.pod(overlay)]));
    host.delete(Kind::Network, overlay).unwrap();
    assert_eq!(code(host.delete(Kind::LoadBalancer, id)).0, 0x803b_0001);
    assert_eq!(host.count(Kind::LoadBalancer), 1);
}

/// Every change is in the log, and the log tells what there was.
#[test]
fn history_tells_what_a_load_balancer_was() {
    let host = Host::of("16.0");
    let network = host.overlay();
    let (one, other) = (host.pod(network), host.pod(network));
    let id = host.balancer(of(&[one]));
    let made = host.service.last_operation().unwrap();
    modify(&host, id, of(&[other])).unwrap();
    host.delete(Kind::LoadBalancer, id).unwrap();
    let object = ObjectId {
        kind: Kind::LoadBalancer,
        id,
    };
    let verbs: Vec<&str> = host
        .service
        .history(Some(object), 10)
        .unwrap()
        .iter()
        .map(|operation| operation.verb.text())
        .collect();
    assert_eq!(verbs, ["create", "modify", "delete"]);
    let moment = host.service.moment(made).unwrap();
    let (_, document) = moment.iter().find(|(own, _)| *own == object).unwrap();
    assert_eq!(
        parsed(document)["HostComputeEndpoints"],
        json!([one.upper()])
    );
}

/// Of several that want one front end at once, through stores opened apart, one gets it.
#[test]
fn a_front_end_is_given_out_once_to_many_who_ask_at_once() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let answers: Vec<Answer<Guid>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    let document = two(of(&[pod])).to_string();
                    let service = host.neighbour();
                    service.create(Kind::LoadBalancer, None, Guid::ZERO, &document)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 5));
    for answer in refused {
        assert_eq!(code(answer).0, 0x803b_0013);
    }
}
