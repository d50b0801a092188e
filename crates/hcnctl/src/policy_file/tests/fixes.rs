// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mistakes that people make, and what is told to write instead.

use super::*;

#[test]
fn a_fix_is_what_is_to_be_written() {
    let json = |members: &str| format!("{{\"apiVersion\": \"hcnctl/v1\",{members}}}");
    let ports = "write 80/tcp, 8000-8100/tcp";
    let cases: Vec<(String, &str)> = vec![
        (
            with(9, "  priority: \"100\""),
            "9:13: rules[0].priority: \"100\" is no priority; write the number without quotes: 100",
        ),
        (
            with(9, "  ports: 0x50/tcp"),
            "9:10: rules[0].ports: \"0x50/tcp\" is no port and protocol; write 80/tcp",
        ),
        (
            with(9, "  ports: 0o17/udp"),
            "9:10: rules[0].ports: \"0o17/udp\" is no port and protocol; write 15/udp",
        ),
        (
            with(9, "  ports: 0x50"),
            "9:10: rules[0].ports: 0x50 alone is no port and protocol; write 80/tcp or 80/udp for the port, protocol/80 for the IP protocol",
        ),
        (with(9, "  ports: true"), ports),
        (
            with(9, "  ports: \"47\""),
            "write 47/tcp or 47/udp for the port, protocol/47 for the IP protocol",
        ),
        (
            with(9, "  ports: 47"),
            "write 47/tcp or 47/udp for the port, protocol/47 for the IP protocol",
        ),
        (with(9, "  ports: \"0\""), ports),
        (
            with(9, "  ports: [80/tcp, \"6\"]"),
            "rules[0].ports[1]: 6 alone is no port",
        ),
        (
            with(9, "  ports: *"),
            "9:10: this is not YAML: while scanning an anchor or alias, did not find expected alphabetic or numeric character; write any for all protocols and ports",
        ),
        (with(3, "endpoints: *"), "put it in quotes: \"*\""),
        (
            with(3, "endpoints: [*web, a]"),
            "put it in quotes: \"*web\"",
        ),
        (
            with(10, "  from: 10.0"),
            "10:9: rules[0].from: 10.0 is no address; write a whole one, e.g. 172.19.3.166",
        ),
        (
            with(10, "  from: 10.0.0.1-10.0.0.9"),
            "10:9: rules[0].from: \"10.0.0.1-10.0.0.9\" is a range, which rules do not have; write prefixes: [10.0.0.1/32, 10.0.0.2/31, 10.0.0.4/30, 10.0.0.8/31]",
        ),
        (
            with(10, "  from: 10.0.0.1-11.0.0.9"),
            "is a range, which rules do not have; write prefixes",
        ),
        (
            with(10, "  from: \"!10.0.0.1\""),
            "is a negation, which rules do not have; put a rule about \"10.0.0.1\" with the other action above this one",
        ),
        (
            with(10, "  from: fe80::1%eth0"),
            "has a zone, which rules do not have; write fe80::1",
        ),
        (
            with(10, "  from: \"::ffff:10.0.0.1\""),
            "is an IPv4 address in the form of IPv6, which no packet has; write 10.0.0.1",
        ),
        (
            with(10, "  from: \"::ffff:10.0.0.0/104\""),
            "write 10.0.0.0/8",
        ),
        (with(4, "otherwise: block"), "is \"deny\" meant?"),
        (with(7, "  action: permit"), "is \"allow\" meant?"),
        (with(8, "  direction: inbound"), "is \"in\" meant?"),
        (
            with(2, "name web"),
            "2:1: this is not YAML: simple key expected ':'; write a colon behind the key: \"name: web\"",
        ),
        (
            with(2, "name:web"),
            "write a space behind the colon: \"name: web\"",
        ),
        (
            with(3, "endpoints: [nginx, client"),
            "close the [ of line 3 with ]",
        ),
        (with(2, "name: \"a\\qb\""), "write \\\\ for a \\ itself"),
        (
            with(6, "- &x\n  name: a"),
            "6:3: anchors and aliases are not used",
        ),
        (
            with(7, "  action: &x allow"),
            "7:11: anchors and aliases are not used",
        ),
        (with(2, "name: !!str web"), "2:7: tags are not used"),
        (json("\"name\":\"w\""), "it is missing"),
        (json("\n\"name\":\"w\\q\""), "2:8: this is not JSON: "),
        (
            json("\n\"name\":\"w\" \"endpoints\":\"x\""),
            "this is not JSON: ",
        ),
        (
            json(" // c\n\"name\":\"w\""),
            "1:29: a comment stands here, which JSON does not have; take it away; in YAML a comment begins with #",
        ),
        ("/* c */ {}".to_owned(), "1:1: a comment stands here"),
        (
            "{\"apiVersion\": \"hcnctl/v1\"".to_owned(),
            "close the { of line 1 with }",
        ),
    ];
    let mut otherwise = Vec::new();
    for (text, expected) in cases {
        let problems = read(&text).expect_err(&text);
        if !problems
            .iter()
            .any(|problem| problem.to_string().contains(expected))
        {
            otherwise.push(format!("{text}\n=> {}\nand not {expected}", problems[0]));
        }
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n\n"));
}

#[test]
fn of_thousands_of_mistakes_the_first_are_told() {
    let rule = "- {name: r, action: alow, direction: in}\n";
    let text = with(0, "") + &rule.repeat(1_000);
    let problems = read(&text).unwrap_err();
    let lines = told("web.yaml", &problems);
    assert_eq!(lines.len(), 51);
    let more = problems.len() - 50;
    assert_eq!(
        lines[50],
        format!("web.yaml: and {more} more mistakes; correct these first")
    );
}

#[test]
fn a_json_file_may_say_where_its_schema_is() {
    let text = r#"{"$schema": "docs/schema/policy.json", "apiVersion": "hcnctl/v1", "name": "w", "endpoints": "x", "otherwise": "deny"}"#;
    assert!(read(text).is_ok());
    // What begins a comment elsewhere is a text in quotes.
    let text = text.replace("\"w\"", "\"w\", \"description\": \"see // http://x /* */\"");
    assert!(read(&text).is_ok());
}
