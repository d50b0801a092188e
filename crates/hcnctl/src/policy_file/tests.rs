// SPDX-License-Identifier: MIT OR Apache-2.0
//! Policy files, good and bad: what is read, and for each kind of mistake the place, the member, what is wrong and what to do.

use super::*;

/// A good file, with another text in the place of one line.
fn with(line: usize, text: &str) -> String {
    const GOOD: &str = "\
apiVersion: hcnctl/v1
name: web
endpoints: nginx
otherwise: allow
rules:
- name: no-http
  action: block
  direction: in
  ports: 80/tcp
  from: 10.0.0.0/8
";
    let lines = GOOD.lines().enumerate();
    let lines: Vec<&str> = lines
        .map(|(place, own)| if place + 1 == line { text } else { own })
        .collect();
    lines.join("\n") + "\n"
}

#[test]
fn a_file_is_read() {
    let file = read(&with(0, "")).unwrap();
    assert_eq!(
        (file.name.as_str(), file.rest_in, file.rest_out),
        ("web", Rest::Allow, Rest::Allow)
    );
    assert_eq!(file.endpoints[0].what, What::Name("nginx".to_owned()));
    let [rule] = &file.rules[..] else {
        panic!("{file:?}");
    };
    assert_eq!(
        (
            rule.name.as_str(),
            rule.action,
            rule.direction,
            rule.priority
        ),
        ("no-http", AclAction::Block, AclDirection::In, 2500)
    );
    assert_eq!(
        rule.traffic,
        [Traffic {
            protocol: Some(6),
            ports: Some((80, 80))
        }]
    );
    let peers = rule.peers.as_ref().unwrap();
    assert_eq!(peers[0].what, What::Net("10.0.0.0/8".parse().unwrap()));
    assert_eq!(
        (peers[0].field.as_str(), peers[0].place),
        (
            "rules[0].from",
            Place {
                line: 10,
                column: 9
            }
        )
    );
}

#[test]
fn lists_selectors_and_json_are_read_too() {
    let text = r#"{"apiVersion": "hcnctl/v1", "name": "w", "otherwise": {"in": "deny", "out": "allow"},
        "endpoints": ["web-*", {"network": "nat", "address": "172.19.0.0/20"}],
        "rules": [{"name": "a", "action": "allow", "direction": "out", "ports": ["53/udp", "icmp", "8000-8100/tcp", "any"], "to": ["any"]}]}"#;
    let file = read(text).unwrap();
    assert_eq!((file.rest_in, file.rest_out), (Rest::Deny, Rest::Allow));
    assert_eq!(file.endpoints[0].what, What::Glob("web-*".to_owned()));
    assert_eq!(
        file.endpoints[1].what,
        What::Selector(Selector {
            network: Some("nat".to_owned()),
            address: Some("172.19.0.0/20".parse().unwrap()),
            ..Selector::default()
        })
    );
    assert_eq!(
        (file.rules[0].traffic.len(), &file.rules[0].peers),
        (4, &None)
    );
    let windows = with(0, "").replace('\n', "\r\n");
    assert_eq!(read(&format!("\u{feff}{windows}")), read(&with(0, "")));
}

#[test]
fn rules_are_read_from_the_top_and_no_tie_decides() {
    let rule = |name: &str, action: &str, priority: &str| {
        format!("- {{name: {name}, action: {action}, direction: in{priority}}}\n")
    };
    let of = |rules: &[(&str, &str)]| {
        let rules: Vec<String> = rules
            .iter()
            .enumerate()
            .map(|(place, (action, priority))| rule(&format!("r{place}"), action, priority))
            .collect();
        let head = "apiVersion: hcnctl/v1\nname: w\nendpoints: x\notherwise: deny\nrules:\n";
        read(&(head.to_owned() + &rules.concat())).map(|file| {
            file.rules
                .iter()
                .map(|rule| rule.priority)
                .collect::<Vec<_>>()
        })
    };
    let allow = ("allow", "");
    let block = ("block", "");
    assert_eq!(
        of(&[allow, allow, block, block, allow]),
        Ok(vec![2500, 2500, 2501, 2501, 2502])
    );
    assert_eq!(
        of(&[
            ("allow", ", priority: 100"),
            allow,
            block,
            ("block", ", priority: 900"),
            allow
        ]),
        Ok(vec![100, 100, 101, 900, 901])
    );
    for second in ["allow", "block"] {
        let problems = of(&[("block", ", priority: 100"), (second, ", priority: 99")]).unwrap_err();
        assert!(
            problems[0].message.contains("stronger than the rule above"),
            "{problems:?}"
        );
    }
    assert!(of(&[("block", ", priority: 100"), ("allow", ", priority: 100")]).is_err());
    assert!(of(&[("block", ", priority: 65498"), block]).is_ok());
    assert!(of(&[("block", ", priority: 65498"), allow]).is_err());
}

/// Text as Windows writes it is read, and what is no text is told with its place.
#[test]
fn a_file_is_utf_8_or_utf_16() {
    let good = with(0, "");
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let units = "\u{feff}".encode_utf16().chain(good.encode_utf16());
        let bytes: Vec<u8> = units.flat_map(unit).collect();
        assert_eq!(read_bytes(&bytes), read(&good));
        // A byte is missing at the end.
        let problems = read_bytes(&bytes[..bytes.len() - 1]).unwrap_err();
        assert_eq!(
            problems[0].to_string(),
            "1:1: the file begins as UTF-16 does, and is none; save it as UTF-8"
        );
    }
    // Latin 1: the ß of the second line is one byte.
    let latin: Vec<u8> = with(2, "name: gro\u{df}")
        .chars()
        .map(|one| one as u32 as u8)
        .collect();
    let problems = read_bytes(&latin).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "2:10: the byte 0xdf is no UTF-8; save the file as UTF-8"
    );
}

#[test]
fn a_word_that_is_not_known_is_told_with_those_that_are() {
    let problems = read(&with(4, "otherwise: true")).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "4:12: otherwise: \"true\" is not known; write allow or deny"
    );
    let problems = read(&with(7, &format!("  action: {}", "ß".repeat(100_000)))).unwrap_err();
    assert!(problems[0].to_string().len() < 300, "{}", problems[0]);
}

/// Each mistake: the file, where it is, the member, a part of what is wrong and a part of what to do.
#[test]
fn every_mistake_has_a_place_a_member_and_a_fix() {
    let huge = "#".repeat((8 << 20) + 1);
    let deep = with(
        3,
        &format!("endpoints: {}x{}", "[".repeat(40), "]".repeat(40)),
    );
    let long = with(2, &format!("name: {}", "x".repeat(64)));
    let cases: Vec<(String, &str, &str, &str, &str)> = vec![
        (
            with(9, "  prots: 80/tcp"),
            "9:3",
            "rules[0]",
            "\"prots\" is no member",
            "is \"ports\" meant?",
        ),
        (
            with(3, "endpoint: nginx"),
            "3:1",
            "",
            "\"endpoint\" is no member",
            "is \"endpoints\" meant?",
        ),
        (
            with(9, "  Ports: 80/tcp"),
            "9:3",
            "rules[0]",
            "\"Ports\" is no member",
            "is \"ports\" meant?",
        ),
        (
            with(9, "  wobble: 1"),
            "9:3",
            "rules[0]",
            "\"wobble\" is no member",
            "there are name, description",
        ),
        (
            with(3, "endpoints: {nmae: x}"),
            "3:13",
            "endpoints",
            "\"nmae\" is no member",
            "is \"name\" meant?",
        ),
        (
            with(1, "apiVersion: hcnctl/v2"),
            "1:13",
            "apiVersion",
            "\"hcnctl/v2\" is not known",
            "hcnctl/v1",
        ),
        (
            with(1, "description: x"),
            "1:1",
            "apiVersion",
            "missing",
            "apiVersion: hcnctl/v1",
        ),
        (with(2, ""), "1:1", "name", "missing", "name: web"),
        (
            with(2, "name:"),
            "2:5",
            "name",
            "nothing stands where a text should",
            "web",
        ),
        (
            with(2, "name: [web]"),
            "2:7",
            "name",
            "a list stands where a text should",
            "web",
        ),
        (
            with(2, "name: a:b"),
            "2:7",
            "name",
            "cannot be a name",
            "letters",
        ),
        (
            with(2, "name: -web"),
            "2:7",
            "name",
            "cannot be a name",
            "letter or digit first",
        ),
        (
            with(2, "name: größe"),
            "2:7",
            "name",
            "cannot be a name",
            "letters",
        ),
        (long, "2:7", "name", "cannot be a name", "at most 63"),
        (
            with(3, "endpoints: []"),
            "3:12",
            "endpoints",
            "the list is empty",
            "at least one",
        ),
        (
            with(3, "endpoints: {}"),
            "3:12",
            "endpoints",
            "the selector is empty",
            "name: \"*\"",
        ),
        (
            with(3, "endpoints: ''"),
            "3:12",
            "endpoints",
            "the name is empty",
            "name an endpoint",
        ),
        (
            with(3, "endpoints: [nginx, {network: nat, id: {}}]"),
            "3:39",
            "endpoints[1].id",
            "a mapping stands where a text should",
            "edffc876",
        ),
        (
            with(3, "endpoints: {address: 10.0.0.0/33}"),
            "3:22",
            "endpoints.address",
            "no address and no prefix",
            "10.0.0.0/8",
        ),
        (
            with(3, "endpoints: 10.0.0.0/8"),
            "3:12",
            "endpoints",
            "is a prefix and no endpoint",
            "{address: 10.0.0.0/8}",
        ),
        (
            with(4, "# no rest"),
            "1:1",
            "otherwise",
            "missing",
            "otherwise: deny",
        ),
        (
            with(4, "otherwise: alow"),
            "4:12",
            "otherwise",
            "\"alow\" is not known",
            "is \"allow\" meant?",
        ),
        (
            with(4, "otherwise: drop"),
            "4:12",
            "otherwise",
            "\"drop\" is not known",
            "allow or deny",
        ),
        (
            with(4, "otherwise: {in: deny}"),
            "4:12",
            "otherwise.out",
            "missing",
            "both directions",
        ),
        (
            with(4, "otherwise: yes"),
            "4:12",
            "otherwise",
            "\"yes\" is not known",
            "allow or deny",
        ),
        (
            with(5, "rules: none"),
            "6:3",
            "",
            "not YAML",
            "correct the line",
        ),
        (with(6, "- 5"), "7:9", "", "not YAML", "correct the line"),
        (
            with(6, "- nmae: no-http"),
            "6:3",
            "rules[0]",
            "\"nmae\" is no member",
            "is \"name\" meant?",
        ),
        (
            with(7, "  action: deny"),
            "7:11",
            "rules[0].action",
            "\"deny\" is not known",
            "allow or block",
        ),
        (
            with(7, "  action: Block"),
            "7:11",
            "rules[0].action",
            "\"Block\" is not known",
            "is \"block\" meant?",
        ),
        (
            with(8, "  direction: inn"),
            "8:14",
            "rules[0].direction",
            "\"inn\" is not known",
            "is \"in\" meant?",
        ),
        (
            with(8, ""),
            "6:3",
            "rules[0].direction",
            "missing",
            "in or out",
        ),
        (
            with(9, "  ports: 80"),
            "9:10",
            "rules[0].ports",
            "80 alone is no port",
            "write 80/tcp or 80/udp",
        ),
        (
            with(9, "  ports: [80/tcp, 0/tcp]"),
            "9:19",
            "rules[0].ports[1]",
            "\"0/tcp\" is no port",
            "1 to 65535",
        ),
        (
            with(9, "  ports: 70000/tcp"),
            "9:10",
            "rules[0].ports",
            "\"70000/tcp\" is no port",
            "1 to 65535",
        ),
        (
            with(9, "  ports: 90-80/tcp"),
            "9:10",
            "rules[0].ports",
            "\"90-80/tcp\" is no port",
            "8000-8100/tcp",
        ),
        (
            with(9, "  ports: 80/http"),
            "9:10",
            "rules[0].ports",
            "\"80/http\" is no port",
            "80/tcp",
        ),
        (
            with(9, "  ports: 80/icmp"),
            "9:10",
            "rules[0].ports",
            "\"80/icmp\" is no port",
            "icmp",
        ),
        (
            with(9, "  ports: {port: 80}"),
            "9:10",
            "rules[0].ports",
            "a mapping stands where a text should",
            "80/tcp",
        ),
        (
            with(9, "  ports: []"),
            "9:10",
            "rules[0].ports",
            "the list is empty",
            "leave the member out",
        ),
        (
            with(9, "  priority: 0"),
            "9:13",
            "rules[0].priority",
            "\"0\" is no priority",
            "1 (strongest) to 65498",
        ),
        (
            with(9, "  priority: 65500"),
            "9:13",
            "rules[0].priority",
            "is no priority",
            "65498",
        ),
        (
            with(9, "  priority: high"),
            "9:13",
            "rules[0].priority",
            "is no priority",
            "leave it out",
        ),
        (
            with(9, "  priority: 1e3"),
            "9:13",
            "rules[0].priority",
            "is no priority",
            "leave it out",
        ),
        (
            with(10, "  from: 10.0.0.1/8"),
            "10:9",
            "rules[0].from",
            "has bits behind its prefix",
            "10.0.0.0/8 for the subnet, or 10.0.0.1",
        ),
        (
            with(10, "  from: 10.0.0.300"),
            "10:9",
            "rules[0].from",
            "no address and no prefix",
            "172.19.3.166",
        ),
        (
            with(10, "  from: [fd00::/129]"),
            "10:10",
            "rules[0].from[0]",
            "no address and no prefix",
            "fd00::/64",
        ),
        (
            with(10, "  from: []"),
            "10:9",
            "rules[0].from",
            "the list is empty",
            "leave the member out",
        ),
        (
            with(10, "  from: ''"),
            "10:9",
            "rules[0].from",
            "HNS would take that for everybody",
            "leave the member out",
        ),
        (
            with(10, "  to: 10.0.0.0/8"),
            "10:7",
            "rules[0].to",
            "\"to\" has no meaning in a rule for this direction",
            "write \"from\"",
        ),
        (
            with(10, "  from: {}"),
            "10:9",
            "rules[0].from",
            "the selector is empty",
            "give name",
        ),
        (
            with(10, "- {name: no-http, action: allow, direction: in}"),
            "10:10",
            "rules[1].name",
            "the rule in line 6 is called \"no-http\" too",
            "a name of its own",
        ),
        (
            with(9, "  action: allow"),
            "9:3",
            "",
            "the key \"action\" stands in line 7 already",
            "keep one",
        ),
        (
            with(9, "\tports: 80/tcp"),
            "9:1",
            "",
            "a tab stands in the indentation",
            "spaces",
        ),
        (
            with(10, "---\nname: other"),
            "10:1",
            "",
            "a second document begins",
            "one policy in a file",
        ),
        (
            with(3, "endpoints: &here nginx"),
            "3:18",
            "",
            "anchors and aliases",
            "the value itself",
        ),
        (
            with(3, "endpoints: *here"),
            "3:12",
            "",
            "not YAML",
            "correct the line",
        ),
        (
            with(3, "endpoints: !!str nginx"),
            "3:18",
            "",
            "tags",
            "the value itself",
        ),
        (
            with(3, "endpoints: \"nginx"),
            "",
            "",
            "not YAML",
            "correct the line",
        ),
        (
            with(3, "? [a]\n: b"),
            "3:3",
            "",
            "a list stands where a key should",
            "words",
        ),
        (deep, "", "", "more than 16 levels", "five"),
        (huge, "1:1", "", "the most is 8388608", "divide it"),
        (String::new(), "1:1", "", "the file is empty", "apiVersion"),
        (
            "# nothing\n".to_owned(),
            "1:1",
            "",
            "the file is empty",
            "apiVersion",
        ),
        (
            "hello".to_owned(),
            "1:1",
            "",
            "a text stands where a mapping should",
            "apiVersion",
        ),
        (
            "- a\n".to_owned(),
            "1:1",
            "",
            "a list stands where a mapping should",
            "apiVersion",
        ),
        ("\u{0}\u{1}".to_owned(), "", "", "", ""),
    ];
    let mut otherwise = Vec::new();
    for (text, place, field, message, fix) in cases {
        let shown: String = text.chars().take(300).collect();
        let first = &read(&text).expect_err(&shown)[0];
        let said = first.to_string();
        let has_place = place.is_empty() || said.starts_with(&format!("{place}: "));
        let has_field = place.is_empty() || first.field == field;
        if !(has_place && has_field && first.message.contains(message) && first.fix.contains(fix)) {
            otherwise.push(format!(
                "{shown}\n=> {said}\nand not {place}: {field}: {message}; {fix}"
            ));
        }
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n\n"));
}

#[test]
fn all_mistakes_are_told_in_the_order_of_their_places() {
    let text = with(2, "nam: web")
        .replace("80/tcp", "80")
        .replace("block", "blok")
        .replace("10.0.0.0/8", "10.0.0.1/8");
    let problems = read(&text).unwrap_err();
    let places: Vec<String> = problems
        .iter()
        .map(|problem| {
            format!(
                "{}:{} {}",
                problem.place.line, problem.place.column, problem.field
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            "2:1 ",
            "7:11 rules[0].action",
            "9:10 rules[0].ports",
            "10:9 rules[0].from"
        ]
    );
}

#[test]
fn patterns_fit_whole_names() {
    for (pattern, name, expected) in [
        ("*", "", true),
        ("*", "anything", true),
        ("web-*", "web-1", true),
        ("web-*", "my-web-1", false),
        ("web-?", "web-12", false),
        ("*-a-*-b", "x-a-y-a-z-b", true),
        ("*-a-*-b", "x-a-y", false),
        ("größe?", "größe1", true),
        ("a", "ab", false),
    ] {
        assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    use proptest::prelude::*;
    // Pieces of policy files in any order, so that the reader gets further than the first brace.
    let piece = prop::sample::select(vec![
        "apiVersion: hcnctl/v1\n",
        "name: web\n",
        "endpoints: ",
        "nginx\n",
        "rules:\n",
        "- ",
        "  ",
        "action: block\n",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "\n",
        "'",
        "\"",
        "&a ",
        "*a",
        "!t ",
        "|\n",
        ">",
        "---\n",
        "\t",
        "#",
        "80/tcp",
        "10.0.0.0/8",
        "\u{0}",
        "ß",
        "? ",
        ",",
    ]);
    let text = prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat());
    proptest!(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() }, |(text in text)| {
        if let Err(problems) = read(&text) {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| problem.place.line > 0 && !problem.fix.is_empty()), "{problems:?}");
        }
    });
}

/// A lone number in quotes is a protocol's, as docs/apply.md has it; not one that is a port to everybody.
#[test]
fn a_number_in_quotes_is_a_protocol() {
    let traffic = |number: &str| {
        let file = read(&with(9, &format!("  ports: \"{number}\"")));
        file.map(|file| file.rules[0].traffic.clone()).ok()
    };
    for number in [1u8, 6, 47, 50, 51, 89, 112, 132] {
        let protocol = Some(number);
        let wanted = vec![Traffic {
            protocol,
            ports: None,
        }];
        assert_eq!(traffic(&number.to_string()), Some(wanted), "{number}");
    }
    for number in ["22", "53", "80", "256", "443", "-1", "4.7"] {
        assert_eq!(traffic(number), None, "{number}");
    }
}
