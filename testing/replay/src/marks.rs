// SPDX-License-Identifier: MIT OR Apache-2.0
//! What HNS makes up and what differs from run to run, as marks that do not: ids, MAC and IP addresses, times.
//!
//! Apart because what is made up has to be told from what was asked for: only the former becomes a mark, e.g. `<id-3>` for the third. Upper
//! case stays upper case: `<ID-3>`. One id has one mark wherever it stands, and two have two; the others are too few to differ always, since they
//! are drawn by chance: `<mac>`, `<ip>`, `<time>`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

/// The marks of one replay.
#[derive(Default)]
pub struct Marks {
    /// What requests named, in upper case.
    asked: BTreeSet<String>,
    /// Ends of ranges of MAC addresses that requests named: of those an endpoint may be given one by chance.
    bounds: BTreeSet<String>,
    /// Ids that answers named first, in upper case, and the number of each.
    made: BTreeMap<String, usize>,
}

impl Marks {
    /// Takes note of what a request names.
    pub fn ask(&mut self, request: &str) {
        let mut at = 0;
        for part in parts(request) {
            let upper = part.to_ascii_uppercase();
            if kind(part).is_some() && !self.made.contains_key(&upper) {
                match is_bound(&request[..at]) {
                    true => self.bounds.insert(upper),
                    false => self.asked.insert(upper),
                };
            }
            at += part.len();
        }
    }

    /// An answer with marks.
    pub fn mark(&mut self, answer: &str) -> String {
        let mut marked = String::with_capacity(answer.len());
        let mut at = 0;
        for part in parts(answer) {
            let upper = part.to_ascii_uppercase();
            let is_asked = self.asked.contains(&upper)
                || (self.bounds.contains(&upper) && is_bound(&answer[..at]));
            at += part.len();
            match kind(part) {
                Some(kind) if !is_asked && !is_zero(part) => {
                    let mut mark = match kind {
                        "id" => format!("id-{}", self.number(upper)),
                        other => other.to_owned(),
                    };
                    if part.chars().any(|letter| letter.is_ascii_uppercase()) {
                        mark.make_ascii_uppercase();
                    }
                    marked.push_str(&format!("<{mark}>"));
                }
                _ => marked.push_str(part),
            }
        }
        marked
    }

    /// The number of an id that an answer told, by the order in which answers told them.
    fn number(&mut self, id: String) -> usize {
        let next = self.made.len() + 1;
        *self.made.entry(id).or_insert(next)
    }
}

/// Whether what follows is an end of a range of MAC addresses.
fn is_bound(before: &str) -> bool {
    let key = before.trim_end_matches(['"', ':', ' ']);
    key.ends_with("StartMacAddress") || key.ends_with("EndMacAddress")
}

fn is_zero(part: &str) -> bool {
    part.chars().all(|letter| matches!(letter, '0' | '-' | '.'))
}

/// What a part is: an id, a MAC address, an IPv4 address, or a time in steps of 100 ns since 1601, which has 18 digits.
fn kind(part: &str) -> Option<&'static str> {
    if part.len() == 18 && part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some("time");
    }
    if part.parse::<Ipv4Addr>().is_ok() {
        return Some("ip");
    }
    let groups: Vec<usize> = part.split('-').map(str::len).collect();
    match groups[..] {
        [8, 4, 4, 4, 12] => Some("id"),
        [2, 2, 2, 2, 2, 2] => Some("mac"),
        _ => None,
    }
}

/// The text in pieces that are wholly of hexadecimal digits, dashes and full stops, or wholly not.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let digit = |letter: char| letter.is_ascii_hexdigit() || matches!(letter, '-' | '.');
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest
            .find(|letter| digit(letter) != digit(first))
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_asked_for_is_marked() {
        let mut marks = Marks::default();
        marks.ask(
            r#"{"ID":"11111111-2222-3333-4444-555555555555","Name":"cafe","Prefix":"10.1.0.0/16"}"#,
        );
        let answer = r#"["11111111-2222-3333-4444-555555555555","abcdefab-0000-0000-0000-000000000001","ABCDEFAB-0000-0000-0000-000000000001","00-15-5D-01-02-AB","10.1.2.3","10.1.0.0/16",134399613602500000,64424509444,"cafe","00000000-0000-0000-0000-000000000000"]"#;
        assert_eq!(
            marks.mark(answer),
            r#"["11111111-2222-3333-4444-555555555555","<id-1>","<ID-1>","<MAC>","<ip>","10.1.0.0/16",<time>,64424509444,"cafe","00000000-0000-0000-0000-000000000000"]"#
        );
        // What an answer told first stays a mark when a client says it again.
        marks.ask("abcdefab-0000-0000-0000-000000000001");
        assert_eq!(marks.mark("ABCDEFAB-0000-0000-0000-000000000001"), "<ID-1>");
    }

    #[test]
    fn an_address_at_the_end_of_a_range_that_was_asked_for_is_given_by_chance() {
        let mut marks = Marks::default();
        marks.ask(r#"{"MacPool":{"Ranges":[{"StartMacAddress":"00-15-5D-52-C0-00","EndMacAddress": "00-15-5D-52-CF-FF"}]}}"#);
        assert_eq!(
            marks.mark(r#"[{"MacAddress":"00-15-5D-52-C0-00"},{"StartMacAddress":"00-15-5D-52-C0-00","EndMacAddress":"00-15-5D-52-CF-FF"}]"#),
            r#"[{"MacAddress":"<MAC>"},{"StartMacAddress":"00-15-5D-52-C0-00","EndMacAddress":"00-15-5D-52-CF-FF"}]"#
        );
    }
}
