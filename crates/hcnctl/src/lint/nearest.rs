// SPDX-License-Identifier: MIT OR Apache-2.0
//! The known word that a misspelt one is nearest to.
//!
//! Apart because keys, types and names of checks are all misspelt alike.

/// The one known word that is a slip or two away, compared without case; none where it is far from all, or as near to two.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    // Long keys of a foreign document are nobody's slip.
    if word.len() > 64 {
        return None;
    }
    // In a short word two slips leave nothing of it.
    let most = if word.len() < 6 { 1 } else { 2 };
    let mut best: Option<(usize, &str)> = None;
    let mut is_tied = false;
    for candidate in known {
        let other: Vec<char> = candidate.to_lowercase().chars().collect();
        if word.len().abs_diff(other.len()) > most {
            continue;
        }
        let slips = slips(&word, &other);
        match best {
            Some((fewest, _)) if slips > fewest => {}
            Some((fewest, same)) if slips == fewest => is_tied |= same != candidate,
            _ => {
                best = Some((slips, candidate));
                is_tied = false;
            }
        }
    }
    let (slips, candidate) = best?;
    (slips <= most && !is_tied).then_some(candidate)
}

/// Letters that are missing, too many, wrong, or in the wrong order (optimal string alignment).
fn slips(one: &[char], other: &[char]) -> usize {
    let width = other.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for (i, own) in one.iter().enumerate() {
        let mut row = vec![i + 1; width];
        for (j, their) in other.iter().enumerate() {
            let replaced = last[j] + usize::from(own != their);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *own == other[j - 1] && one[i - 1] == *their {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[width - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = ["LocalPorts", "LocalAddresses", "RemotePorts", "Priority"];

    #[test]
    fn a_slip_finds_its_word() {
        assert_eq!(nearest("LocalPort", KEYS), Some("LocalPorts"));
        assert_eq!(nearest("localaddreses", KEYS), Some("LocalAddresses"));
        assert_eq!(nearest("Priortiy", KEYS), Some("Priority"));
    }

    #[test]
    fn a_word_of_its_own_is_no_slip() {
        assert_eq!(nearest("Owner", KEYS), None);
        assert_eq!(nearest("Ports", ["Port1", "Port2"]), None);
        assert_eq!(nearest(&"x".repeat(100_000), KEYS), None);
    }
}
