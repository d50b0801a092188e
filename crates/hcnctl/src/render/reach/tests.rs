// SPDX-License-Identifier: MIT OR Apache-2.0
//! What users write comes out as text and not as markup.

use hcn_engine::{Documents, Semantics};
use hcn_schema::{Document, Endpoint, LoadBalancer, Network};
use serde_json::json;

use super::*;
use crate::reach::{Matrix, Question};

/// Two endpoints, one with a name that would be markup, formula or a field of its own.
fn matrix() -> Matrix {
    let endpoint = |number: u32, name: &str| {
        let document = json!({"ID": format!("00000000-0000-0000-0000-00000000000{number}"), "Name": name, "IpConfigurations": [{"IpAddress": format!("10.0.0.{number}")}],
            "Policies": [{"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Id": "</script>", "Priority": 100}}]});
        Endpoint::from_value(&document).unwrap()
    };
    let documents = Documents {
        networks: Vec::new(),
        endpoints: vec![
            endpoint(1, "</script><b>&\"\u{1b}[2J"),
            endpoint(2, "a,\"b\""),
        ],
        ..Documents::default()
    };
    let question = Question {
        rules_only: true,
        ..Question::default()
    };
    Matrix::of(&documents, &[], &Semantics::default(), &question).unwrap()
}

fn subject() -> Subject {
    Subject {
        of: "<now> {data}".to_owned(),
        hns: "15.0".to_owned(),
    }
}

#[test]
fn a_name_is_no_markup_in_a_page() {
    let mut page = Vec::new();
    html(&mut matrix(), &subject(), &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("<b>&"));
    assert!(!page.contains('\u{1b}'));
    assert!(page.contains("&lt;now&gt; {data}, HNS 15.0"));
    let data = page.split("id=\"data\">").nth(1).unwrap();
    let data: serde_json::Value =
        serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    assert_eq!(
        data["participants"][0]["label"],
        "</script><b>&\"\\u{1b}[2J"
    );
    assert_eq!(data["rows"], json!([0, 1, 2]));
    // Each is nothing to itself, and outside is not asked about outside.
    for place in 0..3 {
        let line = data["cells"][place].as_u64().unwrap() as usize;
        let runs: Vec<i64> = serde_json::from_value(data["lines"][line].clone()).unwrap();
        let runs = runs.chunks(2).flat_map(|run| vec![run[1]; run[0] as usize]);
        let cells: Vec<i64> = runs.collect();
        assert_eq!(cells.len(), 3);
        assert_eq!(cells[place], -1);
    }
}

#[test]
fn a_page_asks_nobody() {
    let mut page = Vec::new();
    html(&mut matrix(), &subject(), &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    for word in ["http:", "https:", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn a_name_is_no_markup_in_a_picture() {
    let mut picture = Vec::new();
    svg(&mut matrix(), &subject(), &mut picture).unwrap();
    let picture = String::from_utf8(picture).unwrap();
    assert!(picture.contains("&lt;/script&gt;&lt;b&gt;&amp;&quot;\\u{1b}[2J"));
    assert!(!picture.contains("<b>"));
}

#[test]
fn a_name_is_one_field_of_a_line() {
    let mut lines = Vec::new();
    csv(&mut matrix(), &mut lines).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert!(
        lines.contains("\n\"a,\"\"b\"\"\",outside,IPv4,10.0.0.2,,nothing,nothing\n"),
        "{lines}"
    );
}

#[test]
fn what_is_picked_is_shown_by_its_shape() {
    let mut picture = Vec::new();
    svg(&mut matrix(), &subject(), &mut picture).unwrap();
    let picture = String::from_utf8(picture).unwrap();
    // Out is denied by default, so nothing goes between the two; from outside everything comes in.
    let cells = picture.matches("<g>").count();
    assert_eq!(cells, 6);
    let kinds = |class: &str| {
        picture
            .matches(&format!("</title><rect class=\"{class}\""))
            .count()
    };
    assert_eq!((kinds("none"), kinds("all"), kinds("part")), (4, 2, 0));
}

/// A client, a service with two backends of which one blocks what the service is for, and a published port.
fn ways() -> Matrix {
    let network: Network = of(
        &json!({"ID": "00000000-0000-0000-0000-00000000000a", "Name": "nat", "Type": "NAT",
        "Ipams": [{"Subnets": [{"IpAddressPrefix": "10.0.0.0/24", "Routes": [{"NextHop": "10.0.0.254", "DestinationPrefix": "0.0.0.0/0"}]}]}]}),
    );
    let endpoint = |number: u32, name: &str, policies: serde_json::Value| -> Endpoint {
        of(
            &json!({"ID": format!("00000000-0000-0000-0000-00000000000{number}"), "Name": name,
            "HostComputeNetwork": "00000000-0000-0000-0000-00000000000a",
            "IpConfigurations": [{"IpAddress": format!("10.0.0.{number}")}], "Policies": policies}),
        )
    };
    let blocks = json!([{"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "Protocols": "6", "LocalPorts": "80", "Priority": 100}}]);
    let published = json!([{"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 81, "ExternalPort": 8081}}]);
    let service: LoadBalancer = of(
        &json!({"ID": "00000000-0000-0000-0000-00000000000b", "Name": "svc", "FrontendVIPs": ["10.96.0.1"],
        "HostComputeEndpoints": ["00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003"],
        "PortMappings": [{"Protocol": 6, "ExternalPort": 8000, "InternalPort": 80}]}),
    );
    let documents = Documents {
        networks: vec![network],
        endpoints: vec![
            endpoint(1, "client", json!([])),
            endpoint(2, "one", published),
            endpoint(3, "two", blocks),
        ],
        load_balancers: vec![service],
    };
    let question = Question {
        from: vec!["client".to_owned()],
        to: vec!["svc".to_owned(), "host".to_owned()],
        traffic: ["8000/tcp", "8081/tcp"]
            .map(|text| text.parse().unwrap())
            .into(),
        ..Question::default()
    };
    Matrix::of(&documents, &[], &Semantics::default(), &question).unwrap()
}

fn of<D: Document>(value: &serde_json::Value) -> D {
    D::from_value(value).unwrap()
}

/// The lines behind the cell of a column, as the script of the page puts them together.
fn panel(data: &serde_json::Value, column: usize) -> Vec<String> {
    let at = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
    let runs: Vec<i64> = serde_json::from_value(data["lines"][0].clone()).unwrap();
    let runs = runs.chunks(2).flat_map(|run| vec![run[1]; run[0] as usize]);
    let cells: Vec<i64> = runs.collect();
    let pair = &data["pairs"][cells[column] as usize];
    let mut lines = vec![format!(
        "{} {}",
        pair[0],
        data["texts"][at(&pair[1])].as_str().unwrap()
    )];
    for part in data["explanations"][at(&pair[2][0][3])].as_array().unwrap() {
        let verdict = match at(&part[0]) {
            0 => "blocked",
            1 => "allowed",
            more => data["causes"][more - 2].as_str().unwrap(),
        };
        lines.push(format!(
            "{verdict}: {}",
            data["texts"][at(&part[1])].as_str().unwrap()
        ));
        for step in part[2].as_array().unwrap() {
            let indent = if at(&step[0]) == 3 { "  " } else { "" };
            assert!(at(&step[0]) >= 2, "{step}");
            lines.push(format!(
                "{indent}{}",
                data["causes"][at(&step[1])].as_str().unwrap()
            ));
        }
    }
    lines
}

#[test]
fn behind_a_cell_stands_the_way_in_order() {
    let mut page = Vec::new();
    html(&mut ways(), &subject(), &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    let data = page.split("id=\"data\">").nth(1).unwrap();
    let data = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    let out = "client, out: no rule for this direction on this port: everything passes";
    let into = "one, in: no rule for this direction on this port: everything passes";
    assert_eq!(
        panel(&data, 0),
        [
            // 3 is the kind of a cell of which some backends alone get something.
            "3 tcp 8000 to some backends",
            "blocked: tcp 8081",
            "route: by the default router 10.0.0.254",
            "the address is a virtual one, and no load balancer has this protocol and port of it",
            "allowed to 1 of 2 backends: tcp 8000",
            "route: by the default router 10.0.0.254",
            out,
            "load balancer: /PortMappings/0 of svc (00000000); the host translates, with an address and a port of its own as source; 2 backend(s)",
            "backend one (00000000), 10.0.0.2:80: allowed",
            &format!("  {into}"),
            "backend two (00000000), 10.0.0.3:80: blocked",
            "  two, in: Switch rule /Policies/0: Action=Block; Direction=In; LocalPorts=80; Priority=100; Protocols=6",
        ]
    );
    assert_eq!(
        panel(&data, 1),
        [
            "2 tcp 8000,8081",
            "allowed: tcp 8081",
            "route: on the sender's own subnet, network nat (00000000)",
            out,
            "published port: 8081/tcp of the host is /Policies/0/Settings of one (00000000); it goes on to 10.0.0.2:81, from an address of the host and a port of its choice",
            "route: the host sends it on to network nat (00000000)",
            into,
            "allowed: tcp 8000",
            "route: on the sender's own subnet, network nat (00000000)",
            out,
        ]
    );
}
