// SPDX-License-Identifier: MIT OR Apache-2.0
//! `describe`: all about one object on one page, for a person.
//!
//! Apart because a page is built by sections, not by columns. Invariant: a member of the object that nobody expected, in name or in
//! form, is on the page (sections "Other" and "Unreadable").

mod endpoint;
mod namespace;
mod network;

pub use endpoint::{EndpointPage, endpoint};
pub use namespace::{NamespaceMember, NamespacePage, namespace};
pub use network::{NetworkEndpoint, NetworkPage, network};

use std::fmt::Write;

use hcn_schema::{Document, Field, network::Dns};
use serde_json::{Map, Value};

use super::{
    field_text, plain,
    rule::is_blank,
    shown,
    table::{self, PolicyRow},
};

/// A section under construction: `Key:  value` lines with the values in one column.
#[derive(Default)]
struct Section {
    lines: Vec<(String, String)>,
}

impl Section {
    /// Adds a line, unless there is nothing to say.
    fn line(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        if !value.is_empty() {
            self.lines.push((shown(key).into_owned(), value));
        }
        self
    }

    /// Appends the lines to the page, each after `indent`.
    fn write(&self, page: &mut String, indent: &str) {
        let longest = self
            .lines
            .iter()
            .map(|(key, _)| key.chars().count())
            .max()
            .unwrap_or(0);
        for (key, value) in &self.lines {
            let blanks = longest - key.chars().count();
            let _ = writeln!(page, "{indent}{key}:{:blanks$}  {value}", "");
        }
    }
}

/// Appends a titled section of lines, if it has any.
fn titled(page: &mut String, title: &str, section: &Section) {
    if !section.lines.is_empty() {
        let _ = writeln!(page, "\n{title}:");
        section.write(page, "  ");
    }
}

/// Appends a titled table; `(none)` where it has no row.
fn titled_table(page: &mut String, title: &str, rows: usize, table: &str) {
    let _ = writeln!(page, "\n{title}:");
    if rows == 0 {
        page.push_str("  (none)\n");
        return;
    }
    for line in table.lines() {
        let _ = writeln!(page, "  {line}");
    }
}

/// `nat (625D8985-…)`, or whichever of the two is known.
fn name_and_id(name: Option<&str>, id: &str) -> String {
    match name {
        Some(name) if !name.is_empty() && !id.is_empty() => {
            format!("{} ({})", shown(name), shown(id))
        }
        Some(name) if !name.is_empty() => shown(name).into_owned(),
        _ => shown(id).into_owned(),
    }
}

/// The section on name resolution.
fn dns(page: &mut String, dns: &Field<Dns>) {
    let mut section = Section::default();
    if let Some(dns) = dns.get() {
        let list = |items: &Field<Vec<String>>| shown(&items.or_default().join(", ")).into_owned();
        section
            .line("Domain", field_text(&dns.domain))
            .line("Servers", list(&dns.server_list))
            .line("Search", list(&dns.search))
            .line("Options", list(&dns.options));
        add_others(&mut section, &dns.extra);
    }
    titled(page, "DNS", &section);
}

/// The section on policies.
fn policies(page: &mut String, rows: &[PolicyRow]) {
    let text = table::policies(rows, table::Columns::Wide, false);
    titled_table(page, "Policies", rows.len(), &text);
}

/// What is worth knowing of an object with rules.
fn default_deny(page: &mut String) {
    page.push_str("  Note: With any ACL present, what no rule allows is dropped (default deny).\n");
}

/// The sections with the members that have no place on the page, and with those that are not of the form that they should have.
fn others(
    page: &mut String,
    document: &impl Document,
    extra: &Map<String, Value>,
    free: &[(&str, &Field<Value>)],
) {
    let mut section = Section::default();
    for (key, field) in free {
        if let Some(value) = field.get().filter(|value| !is_blank(value)) {
            section.line(key, shown(&plain(value)));
        }
    }
    add_others(&mut section, extra);
    titled(page, "Other", &section);

    let mut section = Section::default();
    for (pointer, value) in document.odd_fields() {
        section.line(&pointer, shown(&plain(value)));
    }
    titled(page, "Unreadable", &section);
}

fn add_others(section: &mut Section, extra: &Map<String, Value>) {
    for (key, value) in extra {
        if !is_blank(value) {
            section.line(key, shown(&plain(value)));
        }
    }
}

#[cfg(test)]
mod tests;
