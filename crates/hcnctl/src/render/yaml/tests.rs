// SPDX-License-Identifier: MIT OR Apache-2.0
//! The expected text was read back with PyYAML 6.0 (YAML 1.1), which found the same values as the JSON has.

use serde_json::json;

use super::*;

#[test]
fn texts_that_look_like_something_else_are_quoted() {
    let value = json!([{
        "ID": "EDFFC876-3051-46EC-80B3-820DDA20AA14",
        "Name": "no",
        "Version": 64_424_509_440u64,
        "Policies": [{"Type": "ACL", "Settings": {"Protocols": "6", "LocalPorts": "80-90", "Priority": 100}}],
        "MacAddress": "10:20:30:40:50:11",
        "IpConfigurations": [{"IpAddress": "::1", "PrefixLength": 64}],
        "Health": {},
        "SharedContainers": [],
        "Owner": null,
        "Note": "a: b # c"
    }]);
    let expected = "\
- ID: EDFFC876-3051-46EC-80B3-820DDA20AA14
  Name: \"no\"
  Version: 64424509440
  Policies:
  - Type: ACL
    Settings:
      Protocols: \"6\"
      LocalPorts: 80-90
      Priority: 100
  MacAddress: \"10:20:30:40:50:11\"
  IpConfigurations:
  - IpAddress: \"::1\"
    PrefixLength: 64
  Health: {}
  SharedContainers: []
  Owner: null
  Note: \"a: b # c\"
";
    assert_eq!(document(&value).unwrap(), expected);
}

#[test]
fn one_object_is_a_mapping_and_an_empty_list_is_a_list() {
    assert_eq!(document(&json!({"ID": "x"})).unwrap(), "ID: x\n");
    assert_eq!(document(&json!([])).unwrap(), "[]\n");
}
