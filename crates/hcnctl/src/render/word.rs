// SPDX-License-Identifier: MIT OR Apache-2.0
//! The numbers of HNS in words: states, protocols, versions.
//!
//! Apart because tables and pages share them. Only for people: a number that has no word here is shown as a number, and no machine
//! format uses these words.

use std::borrow::Cow;

/// The state of an endpoint (hns-behaviour 2.8).
pub fn endpoint_state(state: u16) -> Cow<'static, str> {
    Cow::Borrowed(match state {
        0 => "Uninitialized",
        1 => "Created",
        2 => "Attached",
        3 => "AttachedSharing",
        4 => "Detached",
        5 => "Degraded",
        6 => "Destroyed",
        other => return Cow::Owned(other.to_string()),
    })
}

/// The state of a network or a namespace: only 1 is known (hns-behaviour 2.8).
pub fn object_state(state: u16) -> Cow<'static, str> {
    match state {
        1 => Cow::Borrowed("Created"),
        other => Cow::Owned(other.to_string()),
    }
}

/// A protocol by its IANA number; 256 is how HNS writes "any".
pub fn protocol(number: u32) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        1 => "icmp",
        2 => "igmp",
        6 => "tcp",
        17 => "udp",
        58 => "icmpv6",
        132 => "sctp",
        256 => "any",
        other => return Cow::Owned(other.to_string()),
    })
}

/// As [`protocols`], where one without a name could be taken for a port.
pub fn protocols_in_words(list: &str) -> String {
    let words = protocols(list);
    let is_number = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    match words.split(',').any(is_number) {
        true if words.contains(',') => format!("protocols {words}"),
        true => format!("protocol {words}"),
        false => words,
    }
}

/// The protocols of a rule: `6,17` is `tcp,udp`, empty is `any`; names come out in lower case.
pub fn protocols(list: &str) -> String {
    let words: Vec<Cow<'_, str>> = list
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| match item.parse() {
            Ok(number) => protocol(number),
            Err(_) => Cow::Owned(item.to_ascii_lowercase()),
        })
        .collect();
    if words.is_empty() {
        "any".to_owned()
    } else {
        words.join(",")
    }
}

/// `(Major << 32) | Minor` as `Major.Minor`.
pub fn version(number: u64) -> String {
    format!("{}.{}", number >> 32, number & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_that_windows_reports() {
        // Recorded: 64424509440 is HNS 15.0, 38654705669 is 9.5, 4294967297 is 1.1.
        assert_eq!(version(64_424_509_440), "15.0");
        assert_eq!(version(38_654_705_669), "9.5");
        assert_eq!(version(4_294_967_297), "1.1");
    }

    #[test]
    fn protocols_are_named_and_the_unnamed_stay_numbers() {
        assert_eq!(protocols("6, 17,252"), "tcp,udp,252");
        assert_eq!(protocols("TCP"), "tcp");
        assert_eq!(protocols(""), "any");
        assert_eq!(protocols("256"), "any");
    }

    #[test]
    fn a_state_without_a_word_stays_a_number() {
        assert_eq!(endpoint_state(3), "AttachedSharing");
        assert_eq!(endpoint_state(77), "77");
        assert_eq!(object_state(1), "Created");
        assert_eq!(object_state(2), "2");
    }
}
