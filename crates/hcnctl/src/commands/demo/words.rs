// SPDX-License-Identifier: MIT OR Apache-2.0
//! A command line as words, split as a shell does it: at blanks, except inside single quotes.

/// The words of a line.
pub fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_with(String::new);
            }
            ' ' | '\n' if !quoted => words.extend(word.take()),
            other => word.get_or_insert_with(String::new).push(other),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_blanks_together() {
        assert_eq!(split("a  'b c' d'e f'"), ["a", "b c", "de f"]);
        assert_eq!(split("''"), [""]);
    }
}
