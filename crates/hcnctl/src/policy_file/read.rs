// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of a policy file: which members there are, and what may stand in them.
//!
//! Apart from [`super::tree`], which knows YAML, and from the look-up of names. A member that is not known is a mistake, since HNS takes such in
//! silence and people pay for it (a rule whose `direction` is misspelt has none). Invariant: nothing that is written is passed over.

use std::{collections::HashMap, net::IpAddr};

use hcn::{
    declared::{FIRST_PRIORITY, LAST_PRIORITY, Rest, Traffic},
    schema::policy::{AclAction, AclDirection},
};
use ipnet::IpNet;

use super::{
    FileRule, Named, Place, PolicyFile, Problem, Selector, What,
    problem::nearest,
    tree::{self, Key, Node, Value, is_nothing, is_number, is_truth},
};
use crate::commands::spec::TrafficSpec;

/// Characters of a value that are worth showing.
const MOST_SHOWN: usize = 64;

/// The header that says which form the file has.
const VERSION: &str = "hcnctl/v1";
/// Most characters of a name.
const LONGEST_NAME: usize = 63;

/// Ports up to 255 that people filter, and no protocol of that number is in use (IANA's registries of both).
const LIKELY_PORTS: [u8; 23] = [
    20, 21, 22, 23, 25, 53, 67, 68, 69, 80, 88, 110, 111, 119, 123, 135, 137, 138, 139, 143, 161,
    162, 179,
];

/// The keys of each mapping: its name in the schema, and what may stand in it.
pub const KEYS: [(&str, &[&str]); 4] = [
    (
        "policy",
        &[
            "apiVersion",
            "name",
            "description",
            "endpoints",
            "rules",
            "otherwise",
        ],
    ),
    (
        "rule",
        &[
            "name",
            "description",
            "action",
            "direction",
            "ports",
            "from",
            "to",
            "priority",
        ],
    ),
    ("selector", &["name", "id", "network", "address"]),
    ("otherwise", &["in", "out"]),
];

/// Reads the bytes of a file.
///
/// # Errors
/// All mistakes, in the order of their places.
pub fn read_bytes(bytes: &[u8]) -> Result<PolicyFile, Vec<Problem>> {
    read(&tree::decode(bytes).map_err(|problem| vec![problem])?)
}

/// Reads the text of a file.
///
/// # Errors
/// All mistakes, in the order of their places.
pub fn read(text: &str) -> Result<PolicyFile, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let node = tree::parse(text).map_err(|problem| vec![problem])?;
    let mut reader = Reader::default();
    let file = reader.file(&node);
    match file {
        Some(file) if reader.problems.is_empty() => Ok(file),
        _ => {
            reader.problems.sort_by_key(|problem| problem.place);
            Err(reader.problems)
        }
    }
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
}

/// The members of a mapping by their known keys.
struct Members<'a> {
    place: Place,
    path: String,
    by_key: HashMap<&'a str, &'a Node>,
    /// Keys that are misspelt, and so not missing too.
    meant: Vec<&'static str>,
}

impl<'a> Members<'a> {
    fn get(&self, key: &str) -> Option<&'a Node> {
        self.by_key.get(key).copied()
    }

    fn path(&self, key: &str) -> String {
        match self.path.is_empty() {
            true => key.to_owned(),
            false => format!("{}.{key}", self.path),
        }
    }
}

impl Reader {
    fn wrong<T>(
        &mut self,
        place: Place,
        field: &str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Option<T> {
        self.problems.push(Problem {
            place,
            field: field.to_owned(),
            message: message.into(),
            fix: fix.into(),
        });
        None
    }

    fn file(&mut self, node: &Node) -> Option<PolicyFile> {
        let members = self.members(node, "", "policy")?;
        let version = self.needed(
            &members,
            "apiVersion",
            "begin with \"apiVersion: hcnctl/v1\"",
        );
        if let Some(node) = version {
            self.one_of(node, "apiVersion", &[(VERSION, ())]);
        }
        self.description(&members);
        let name = self
            .needed(
                &members,
                "name",
                "give the policy a name, e.g. \"name: web\"",
            )
            .and_then(|node| self.name(node, "name"));
        let endpoints = self
            .needed(
                &members,
                "endpoints",
                "say whose rules they are, e.g. \"endpoints: nginx\"",
            )
            .and_then(|node| self.endpoints(node, "endpoints"));
        let rules = match members.get("rules") {
            Some(node) => self.rules(node),
            None => Some(Vec::new()),
        };
        let rest = self
            .needed(
                &members,
                "otherwise",
                "say what becomes of all that no rule names: \"otherwise: allow\" or \"otherwise: deny\"",
            )
            .and_then(|node| self.otherwise(node));
        let (rest_in, rest_out) = rest?;
        Some(PolicyFile {
            name: name?,
            endpoints: endpoints?,
            rules: rules?,
            rest_in,
            rest_out,
        })
    }

    /// The members of a mapping; keys that are not known are mistakes.
    fn members<'a>(&mut self, node: &'a Node, path: &str, mapping: &str) -> Option<Members<'a>> {
        let known = KEYS
            .iter()
            .find(|(name, _)| *name == mapping)
            .map_or(&[][..], |(_, known)| known);
        let Value::Map(all) = &node.value else {
            return self.wrong(
                node.place,
                path,
                format!("{} stands where a mapping should", node.value.kind()),
                format!("write members such as \"{}: …\"", known[0]),
            );
        };
        let mut by_key = HashMap::new();
        let mut meant = Vec::new();
        for (key, node) in all {
            if known.contains(&key.text.as_str()) {
                by_key.insert(key.text.as_str(), node);
            } else {
                meant.extend(self.unknown(key, path, known));
            }
        }
        Some(Members {
            place: node.place,
            path: path.to_owned(),
            by_key,
            meant,
        })
    }

    /// Tells of a key that is not known; the one that may be meant.
    fn unknown(&mut self, key: &Key, path: &str, known: &[&'static str]) -> Option<&'static str> {
        let meant = nearest(&key.text, known);
        let fix = match meant {
            Some(near) => format!("is {near:?} meant?"),
            None => format!("there are {}", known.join(", ")),
        };
        let message = format!("{:?} is no member here", key.text);
        self.wrong::<()>(key.place, path, message, fix);
        meant
    }

    fn needed<'a>(&mut self, members: &Members<'a>, key: &str, fix: &str) -> Option<&'a Node> {
        let node = members.get(key);
        if node.is_none() && !members.meant.contains(&key) {
            let field = members.path(key);
            self.wrong::<()>(members.place, &field, "it is missing", fix);
        }
        node
    }

    /// A text that is there.
    fn text<'a>(&mut self, node: &'a Node, field: &str, example: &str) -> Option<&'a str> {
        match &node.value {
            Value::Text(text, false) if is_number(text) || is_truth(text) => self.wrong(
                node.place,
                field,
                format!("{} stands where a text should", node.value.kind()),
                format!("put it in quotes: \"{text}\""),
            ),
            Value::Text(text, quoted) if *quoted || !is_nothing(text) => Some(text),
            other => self.wrong(
                node.place,
                field,
                format!("{} stands where a text should", other.kind()),
                format!("write e.g. {example}"),
            ),
        }
    }

    fn one_of<T: Copy>(&mut self, node: &Node, field: &str, words: &[(&str, T)]) -> Option<T> {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let all = format!("write {}", known.join(" or "));
        // `otherwise: true` wants a word, and no quotes.
        let Value::Text(text, _) = &node.value else {
            let message = format!("{} stands where a text should", node.value.kind());
            return self.wrong(node.place, field, message, all);
        };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| word == text) {
            return Some(*meaning);
        }
        let fix = match nearest(text, &known) {
            Some(near) => format!("is {near:?} meant?"),
            None => all,
        };
        let shown = match text.char_indices().nth(MOST_SHOWN) {
            Some((end, _)) => format!("{:?} and so on", &text[..end]),
            None => format!("{text:?}"),
        };
        self.wrong(node.place, field, format!("{shown} is not known"), fix)
    }

    fn description(&mut self, members: &Members<'_>) {
        if let Some(node) = members.get("description") {
            self.text(node, &members.path("description"), "what it is for");
        }
    }

    /// A name that goes into the `Id` of rules.
    fn name(&mut self, node: &Node, field: &str) -> Option<String> {
        let text = self.text(node, field, "web")?;
        if is_name(text) {
            return Some(text.to_owned());
        }
        self.wrong(
            node.place,
            field,
            format!("{text:?} cannot be a name"),
            format!(
                "use at most {LONGEST_NAME} letters, digits, - _ and ., a letter or digit first"
            ),
        )
    }

    fn endpoints(&mut self, node: &Node, field: &str) -> Option<Vec<Named>> {
        self.several(node, field, |reader, node, field| {
            reader.named(node, field, false)
        })
    }

    /// One, or a list of them; an empty list is a mistake.
    fn several<T>(
        &mut self,
        node: &Node,
        field: &str,
        mut one: impl FnMut(&mut Self, &Node, &str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::List(items) = &node.value else {
            return one(self, node, field).map(|one| vec![one]);
        };
        if items.is_empty() {
            return self.wrong(
                node.place,
                field,
                "the list is empty",
                "name at least one, or leave the member out where that is allowed",
            );
        }
        let all: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(place, item)| one(self, item, &format!("{field}[{place}]")))
            .collect();
        all.into_iter().collect()
    }

    /// Endpoints by name or selector; addresses too where they are the other side of a rule.
    fn named(&mut self, node: &Node, field: &str, is_peer: bool) -> Option<Named> {
        let what = match &node.value {
            Value::Map(_) => What::Selector(self.selector(node, field)?),
            _ => {
                let text = self.text(node, field, "nginx, \"web-*\" or {network: nat}")?;
                if text.trim().is_empty() {
                    return self.wrong(
                        node.place,
                        field,
                        "the name is empty, and HNS would take that for everybody",
                        "name an endpoint, or leave the member out",
                    );
                }
                match text {
                    _ if is_peer && looks_like_net(text) => What::Net(self.net(node, field, text)?),
                    _ if text.contains(['*', '?']) => What::Glob(text.to_owned()),
                    _ if !is_peer && text.contains('/') && looks_like_net(text) => {
                        return self.wrong(
                            node.place,
                            field,
                            format!("{text:?} is a prefix and no endpoint"),
                            format!("write {{address: {text}}} for all endpoints in it"),
                        );
                    }
                    _ => What::Name(text.to_owned()),
                }
            }
        };
        Some(Named {
            place: node.place,
            field: field.to_owned(),
            what,
        })
    }

    fn selector(&mut self, node: &Node, field: &str) -> Option<Selector> {
        let before = self.problems.len();
        let members = self.members(node, field, "selector")?;
        let mut text = |key: &str, example: &str| {
            let node = members.get(key)?;
            let field = members.path(key);
            match self.text(node, &field, example)? {
                "" => self.wrong(
                    node.place,
                    &field,
                    "it is empty",
                    format!("write e.g. {example}, or leave it out"),
                ),
                text => Some(text.to_owned()),
            }
        };
        let name = text("name", "\"web-*\"");
        let id = text("id", "edffc876");
        let network = text("network", "nat");
        let address = members.get("address").and_then(|node| {
            let field = members.path("address");
            let text = self.text(node, &field, "10.0.0.0/8")?;
            self.net(node, &field, text)
        });
        let selector = Selector {
            name,
            id,
            network,
            address,
        };
        if self.problems.len() > before {
            return None;
        }
        if selector == Selector::default() {
            return self.wrong(
                node.place,
                field,
                "the selector is empty",
                "give name, id, network or address; {name: \"*\"} is every endpoint",
            );
        }
        Some(selector)
    }

    /// An address or a prefix without host bits.
    fn net(&mut self, node: &Node, field: &str, text: &str) -> Option<IpNet> {
        let example = "write e.g. 172.19.3.166, 10.0.0.0/8 or fd00::/64";
        let parsed = match text.parse::<IpAddr>() {
            Ok(address) => Some(IpNet::from(address)),
            Err(_) => text.parse().ok(),
        };
        let Some(net): Option<IpNet> = parsed else {
            return self.wrong(
                node.place,
                field,
                format!("{text:?} is no address and no prefix"),
                example,
            );
        };
        if net.trunc() != net {
            return self.wrong(
                node.place,
                field,
                format!("{text:?} has bits behind its prefix"),
                format!(
                    "write {} for the subnet, or {} for the one address",
                    net.trunc(),
                    net.addr()
                ),
            );
        }
        Some(net)
    }

    fn otherwise(&mut self, node: &Node) -> Option<(Rest, Rest)> {
        const WORDS: [(&str, Rest); 2] = [("allow", Rest::Allow), ("deny", Rest::Deny)];
        let field = "otherwise";
        if !matches!(node.value, Value::Map(_)) {
            return self.one_of(node, field, &WORDS).map(|rest| (rest, rest));
        }
        let members = self.members(node, field, "otherwise")?;
        let mut direction = |key: &str| {
            let node = self.needed(&members, key, "say allow or deny for both directions")?;
            self.one_of(node, &members.path(key), &WORDS)
        };
        let (inbound, outbound) = (direction("in"), direction("out"));
        Some((inbound?, outbound?))
    }

    fn rules(&mut self, node: &Node) -> Option<Vec<FileRule>> {
        let Value::List(items) = &node.value else {
            return self.wrong(
                node.place,
                "rules",
                format!("{} stands where a list should", node.value.kind()),
                "write a list, each rule with a dash, or [] for none",
            );
        };
        let mut names: HashMap<String, usize> = HashMap::new();
        let mut last: Option<(u16, AclAction)> = None;
        let mut rules = Vec::with_capacity(items.len());
        let mut complete = true;
        for (place, item) in items.iter().enumerate() {
            let field = format!("rules[{place}]");
            match self.rule(item, &field, &mut names, last) {
                Some(rule) => {
                    last = Some((rule.priority, rule.action));
                    rules.push(rule);
                }
                None => complete = false,
            }
        }
        complete.then_some(rules)
    }

    fn rule(
        &mut self,
        node: &Node,
        field: &str,
        names: &mut HashMap<String, usize>,
        last: Option<(u16, AclAction)>,
    ) -> Option<FileRule> {
        let members = self.members(node, field, "rule")?;
        self.description(&members);
        let name = self
            .needed(
                &members,
                "name",
                "name the rule; its Id in HNS has the name in it",
            )
            .and_then(|node| {
                let field = members.path("name");
                let name = self.name(node, &field)?;
                match names.insert(name.clone(), node.place.line) {
                    None => Some(name),
                    Some(line) => self.wrong(
                        node.place,
                        &field,
                        format!("the rule in line {line} is called {name:?} too"),
                        "give each rule a name of its own",
                    ),
                }
            });
        let action = self
            .needed(&members, "action", "write allow or block")
            .and_then(|node| {
                let words = [("allow", AclAction::Allow), ("block", AclAction::Block)];
                self.one_of(node, &members.path("action"), &words)
            });
        let direction = self
            .needed(
                &members,
                "direction",
                "write in or out, as the endpoint sees it",
            )
            .and_then(|node| {
                let words = [("in", AclDirection::In), ("out", AclDirection::Out)];
                self.one_of(node, &members.path("direction"), &words)
            });
        let traffic = match members.get("ports") {
            None => Some(Vec::new()),
            Some(node) => self.several(node, &members.path("ports"), Self::traffic),
        };
        let peers = self.peers(&members, direction);
        let priority = self.priority(&members, action, last);
        Some(FileRule {
            name: name?,
            action: action?,
            direction: direction?,
            traffic: traffic?,
            peers: peers?,
            priority: priority?,
        })
    }

    fn traffic(&mut self, node: &Node, field: &str) -> Option<Traffic> {
        if let Value::Text(text, false) = &node.value
            && is_number(text)
        {
            return self.wrong(
                node.place,
                field,
                format!("{text} alone is no port and protocol"),
                format!("write {text}/tcp or {text}/udp; a protocol's number stands in quotes"),
            );
        }
        let text = self.text(node, field, "80/tcp")?;
        // In quotes a lone number is a protocol, but for those that are far more likely meant as ports: a rule about protocol 80 would say nothing
        // about the web.
        let number = text.parse::<u8>().ok().filter(|_| is_number(text));
        if let Some(number) = number.filter(|number| !LIKELY_PORTS.contains(number)) {
            return Some(Traffic {
                protocol: Some(number),
                ports: None,
            });
        }
        match text.parse::<TrafficSpec>() {
            Ok(spec) => Some(Traffic {
                protocol: spec.protocol.map(|protocol| protocol.0),
                ports: spec.ports,
            }),
            Err(_) => self.wrong(
                node.place,
                field,
                format!("{text:?} is no port and protocol"),
                "write 80/tcp, 8000-8100/tcp, 53/udp, tcp, icmp, a protocol number in quotes, or any, with ports from 1 to 65535",
            ),
        }
    }

    /// The other side: `None` where it is wrong, `Some(None)` where it is anybody.
    fn peers(
        &mut self,
        members: &Members<'_>,
        direction: Option<AclDirection>,
    ) -> Option<Option<Vec<Named>>> {
        let sides = [("from", AclDirection::In), ("to", AclDirection::Out)];
        let mut found = None;
        let mut good = true;
        for (key, own) in sides {
            let Some(node) = members.get(key) else {
                continue;
            };
            let field = members.path(key);
            if direction.is_some_and(|direction| direction != own) {
                let (other, _) = sides[usize::from(key == "from")];
                self.wrong::<()>(
                    node.place,
                    &field,
                    format!("{key:?} has no meaning in a rule for this direction"),
                    format!("write {other:?}, or turn the direction"),
                );
                good = false;
                continue;
            }
            match self.several(node, &field, |reader, node, field| {
                reader.named(node, field, true)
            }) {
                Some(peers) => found = Some(peers),
                None => good = false,
            }
        }
        // "any" among others is everybody.
        let anybody = |named: &Named| named.what == What::Name("any".to_owned());
        let found = found.filter(|peers: &Vec<Named>| !peers.iter().any(anybody));
        good.then_some(found)
    }

    /// A rule is weaker than those above it, and as strong as its neighbour only where both do the same.
    fn priority(
        &mut self,
        members: &Members<'_>,
        action: Option<AclAction>,
        last: Option<(u16, AclAction)>,
    ) -> Option<u16> {
        let follows = last.map_or(FIRST_PRIORITY, |(before, its)| match action {
            Some(action) if action == its => before,
            _ => before.saturating_add(1),
        });
        let field = members.path("priority");
        let Some(node) = members.get("priority") else {
            if follows > LAST_PRIORITY {
                return self.wrong(
                    members.place,
                    &field,
                    "no priority is left below the rules above",
                    format!("give the first rules smaller priorities; the last is {LAST_PRIORITY}"),
                );
            }
            return Some(follows);
        };
        let number = match &node.value {
            Value::Text(text, false) => text.parse::<u16>().ok(),
            _ => None,
        };
        let Some(number) = number.filter(|number| (1..=LAST_PRIORITY).contains(number)) else {
            return self.wrong(
                node.place,
                &field,
                match &node.value {
                    Value::Text(text, _) => format!("{text:?} is no priority"),
                    other => format!("{} is no priority", other.kind()),
                },
                format!("write a number from 1 (strongest) to {LAST_PRIORITY}, or leave it out"),
            );
        };
        match last {
            Some((before, _)) if number < follows => self.wrong(
                node.place,
                &field,
                format!("{number} would be stronger than the rule above it, which has {before}, or tie with it"),
                format!("rules are read from the top: write {follows} or more, or move the rule up"),
            ),
            _ => Some(number),
        }
    }
}

/// Whether a policy or a rule can be called so.
pub fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Whether a text is meant as an address or prefix, right or wrong.
fn looks_like_net(text: &str) -> bool {
    let head = text.split('/').next().unwrap_or_default();
    let of_ipv4 = head.contains('.') && head.chars().all(|one| one.is_ascii_digit() || one == '.');
    let of_ipv6 = head.contains(':')
        && head
            .chars()
            .all(|one| one.is_ascii_hexdigit() || one == ':' || one == '.');
    of_ipv4 || of_ipv6
}
