// SPDX-License-Identifier: MIT OR Apache-2.0
//! The other implementation is serde_json's own pretty printer.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn listed(documents: &[&str]) -> String {
    let mut out = Vec::new();
    write_list(&mut out, documents).unwrap();
    String::from_utf8(out).unwrap()
}

fn alone(document: &str) -> String {
    let mut out = Vec::new();
    write_object(&mut out, document).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn layout_of_a_list() {
    let documents = [
        r#"{"ID":"A","Policies":[{"Type":"ACL","Settings":{"Priority":100}}],"Health":{}}"#,
        r#"{"ID":"B","Name":"br{ace \"quoted\\","Policies":[]}"#,
    ];
    let expected = r#"[
  {
    "ID": "A",
    "Policies": [
      {
        "Type": "ACL",
        "Settings": {
          "Priority": 100
        }
      }
    ],
    "Health": {}
  },
  {
    "ID": "B",
    "Name": "br{ace \"quoted\\",
    "Policies": []
  }
]
"#;
    assert_eq!(listed(&documents), expected);
    assert_eq!(listed(&[]), "[]\n");
    assert_eq!(alone("{}"), "{}\n");
    assert_eq!(alone(r#"{"ID":"A"}"#), "{\n  \"ID\": \"A\"\n}\n");
}

#[test]
fn white_space_of_the_document_does_not_count() {
    let spaced = " {\n \"a\" : [ ] , \"b\":\t[ 1 ,\r\n 2 ]\n}\n";
    let value = json!({"a": [], "b": [1, 2]});
    assert_eq!(
        alone(spaced),
        serde_json::to_string_pretty(&value).unwrap() + "\n"
    );
}

#[test]
fn output_larger_than_the_buffer_is_whole() {
    let document = json!({"Name": "x".repeat(1000), "Policies": [1, 2, 3]});
    let texts: Vec<String> = (0..1000).map(|_| document.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let expected = serde_json::to_string_pretty(&vec![document; 1000]).unwrap() + "\n";
    assert!(listed(&texts) == expected);
}

#[test]
fn nesting_deeper_than_any_document_is_still_indented() {
    let mut value = json!(1);
    for _ in 0..60 {
        value = json!([value]);
    }
    assert_eq!(
        alone(&value.to_string()),
        serde_json::to_string_pretty(&value).unwrap() + "\n"
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\"\\\\{}\\[\\],: \n\u{1}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn indented_text_is_what_the_other_printer_prints(values in prop::collection::vec(any_value(), 0..4)) {
        let texts: Vec<String> = values.iter().map(Value::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assert_eq!(listed(&texts), serde_json::to_string_pretty(&values).unwrap() + "\n");
    }

    #[test]
    fn text_that_is_no_json_does_not_panic(text in "[\"\\\\{}\\[\\],: a-z]{0,40}") {
        let kept = |text: &str| text.chars().filter(|character| !character.is_whitespace()).collect::<String>();
        prop_assert_eq!(kept(&alone(&text)), kept(&text));
    }
}
