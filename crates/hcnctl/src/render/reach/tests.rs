// SPDX-License-Identifier: MIT OR Apache-2.0
//! What users write comes out as text and not as markup.

use hcn_engine::{Documents, Semantics};
use hcn_schema::{Document, Endpoint};
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
