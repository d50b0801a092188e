// SPDX-License-Identifier: MIT OR Apache-2.0
//! SDN routes (hns-behaviour 2.7, 5.5, 7.5).

use hcn_api::{HcnCode, Hns, Kind};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::{
    host::Host,
    scene::{code, refusal, two},
};

/// The route of hcsshim's tests: `Setting` for `Routes`, a prefix with host bits, a next hop that is nowhere.
fn of(endpoints: &[Guid]) -> Value {
    let endpoints: Vec<String> = endpoints.iter().map(Guid::to_string).collect();
    json!({
        "HostComputeEndpoints": endpoints,
        "Setting": [{"DestinationPrefix": "169.254.169.254/24", "NextHop": "127.10.0.34"}],
    })
}

fn make(host: &Host, document: Value) -> Guid {
    host.create(Kind::SdnRoute, None, &two(document))
}

/// 2.7: answers have `Routes`, and `Setting` where it was sent.
#[test]
fn routes_come_back_under_both_names() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let id = make(&host, of(&[pod]));
    let routes = json!([{"DestinationPrefix": "169.254.169.254/24", "NextHop": "127.10.0.34"}]);
    assert_eq!(
        host.two(Kind::SdnRoute, id),
        json!({
            "ID": id.upper(),
            "Version": 64424509440u64,
            "HostComputeEndpoints": [pod.upper()],
            "Routes": routes,
            "Setting": routes,
            "SchemaVersion": {"Major": 2, "Minor": 0},
        })
    );
    let named = json!([{"DestinationPrefix": "10.96.0.0/12", "NeedEncap": true}]);
    let id = make(
        &host,
        json!({"HostComputeEndpoints": [pod.to_string()], "Routes": named}),
    );
    let answer = host.two(Kind::SdnRoute, id);
    assert_eq!(answer["Routes"], named);
    assert_eq!(answer.get("Setting"), None);
    assert_eq!(host.find(Kind::SdnRoute, &json!({"ID": id.upper()})), [id]);
}

/// 7.5 `TestRouteAddRemoveEndpoint`: delete and create with the same ID.
#[test]
fn a_route_is_changed_by_delete_and_create() {
    let host = Host::new();
    let network = host.overlay();
    let (one, other) = (host.pod(network), host.pod(network));
    let id = make(&host, of(&[one]));
    let mut both = of(&[one, other]);
    both["ID"] = json!(id.to_string());
    let again = host.service.create(
        Kind::SdnRoute,
        None,
        Guid::ZERO,
        &two(both.clone()).to_string(),
    );
    assert_eq!(code(again).0, 0x803b_0012);
    host.delete(Kind::SdnRoute, id).unwrap();
    assert_eq!(make(&host, both), id);
    assert_eq!(
        host.two(Kind::SdnRoute, id)["HostComputeEndpoints"],
        json!([one.upper(), other.upper()])
    );
    host.delete(Kind::SdnRoute, id).unwrap();
    assert_eq!(
        code(host.delete(Kind::SdnRoute, id)),
        HcnCode::ERROR_NOT_FOUND
    );
}

#[test]
fn a_route_that_leads_nowhere_is_refused_at_its_member() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    for (key, value, number) in [
        ("DestinationPrefix", "everywhere", 0x803b_0030u32),
        ("NextHop", "there", 0x803b_001e),
    ] {
        let mut document = of(&[pod]);
        document["Setting"][0][key] = json!(value);
        let answer =
            host.service
                .create(Kind::SdnRoute, None, Guid::ZERO, &two(document).to_string());
        let error = refusal(answer);
        assert_eq!(
            (error.code.0, error.field),
            (number, Some(format!("/Setting/0/{key}")))
        );
    }
    let stranger = two(of(&[Guid(5)])).to_string();
    let answer = host
        .service
        .create(Kind::SdnRoute, None, Guid::ZERO, &stranger);
    assert_eq!(code(answer).0, 0x803b_001c);
    assert_eq!(host.count(Kind::SdnRoute), 0);
}

/// Q24, as for load balancers.
#[test]
fn routes_go_with_their_network() {
    let host = Host::new();
    let network = host.overlay();
    make(&host, of(&[host.pod(network)]));
    host.delete(Kind::Network, network).unwrap();
    assert_eq!(host.count(Kind::SdnRoute), 0);
}
