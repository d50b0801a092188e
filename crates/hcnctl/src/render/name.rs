// SPDX-License-Identifier: MIT OR Apache-2.0
//! `-o name`: one `kind/id` a line, for shell loops.
//!
//! Apart because it is a contract with scripts: one object one line, and nothing else, whatever the id holds.

use super::shown;

/// Lines `kind/id`.
pub fn lines<T: AsRef<str>>(kind: &str, ids: impl IntoIterator<Item = T>) -> String {
    let mut text = String::new();
    for id in ids {
        text.push_str(kind);
        text.push('/');
        text.push_str(&shown(id.as_ref()));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_is_one_line() {
        assert_eq!(
            lines(
                "endpoint",
                ["EDFFC876-3051-46EC-80B3-820DDA20AA14", "odd\nid"]
            ),
            "endpoint/EDFFC876-3051-46EC-80B3-820DDA20AA14\nendpoint/odd\\nid\n"
        );
        assert_eq!(lines("endpoint", [] as [&str; 0]), "");
    }
}
