// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C header, the export lists and the table of functions say the same, and the same as a header that nobody here wrote.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use hcn_abi::{COMPUTENETWORK, Export, VMCOMPUTE};

/// Result, then type and name of each parameter.
type Prototype = (String, Vec<(String, String)>);

/// Where Debian's mingw-w64 keeps the header that its project wrote.
const MINGW: &str = "/usr/share/mingw-w64/include/computenetwork.h";

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn every_export() -> impl Iterator<Item = &'static Export> {
    COMPUTENETWORK.iter().chain(VMCOMPUTE)
}

/// `* mut PWSTR` is `PWSTR*` in C.
fn c_type(rust: &str) -> String {
    match rust {
        "()" => "void".to_owned(),
        "PVOID" => "void*".to_owned(),
        // The compiler writes `* mut` where it repeats a type.
        _ => match rust.strip_prefix("* mut ") {
            Some(inner) => c_type(inner) + "*",
            None => rust.to_owned(),
        },
    }
}

/// `ErrorRecord` is `error_record` in Rust.
fn rust_name(c: &str) -> String {
    let mut name = String::new();
    for letter in c.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The prototypes of a header, by name: what stands between a calling convention and a semicolon, and begins with `Hcn` or `HNS`.
fn prototypes(header: &str, convention: &str) -> BTreeMap<String, Prototype> {
    let mut found = BTreeMap::new();
    for statement in header.split(';') {
        let Some((before, after)) = statement.split_once(convention) else {
            continue;
        };
        let Some((name, parameters)) = after.trim().split_once('(') else {
            continue;
        };
        if !name.starts_with('H') {
            continue; // The type of the callback.
        }
        let result = before
            .split_whitespace()
            .last()
            .unwrap()
            .replace("VOID", "void");
        let parameters = parameters.trim().strip_suffix(')').unwrap();
        let parameters = parameters
            .split(',')
            .map(str::trim)
            .filter(|parameter| *parameter != "void")
            .map(|parameter| {
                let start = parameter
                    .rfind(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap()
                    + 1;
                let (kind, name) = parameter.split_at(start);
                (kind.replace(char::is_whitespace, ""), rust_name(name))
            })
            .collect();
        found.insert(name.trim().to_owned(), (result, parameters));
    }
    found
}

fn of_the_table(export: &Export) -> Prototype {
    let parameters = export
        .parameters
        .iter()
        .map(|(name, kind)| (c_type(kind), (*name).to_owned()))
        .collect();
    (c_type(export.result), parameters)
}

#[test]
fn the_header_has_the_prototypes_of_the_table() {
    let header = prototypes(&file("include/hcn.h"), "HCN_CALL ");
    let table: BTreeMap<String, Prototype> = every_export()
        .map(|export| (export.name.to_owned(), of_the_table(export)))
        .collect();
    assert_eq!(header, table);
}

/// mingw-w64's header is written by others, from Microsoft's. It lacks what Microsoft's lacks, and two of the newer functions.
#[test]
fn the_types_are_those_of_the_mingw_header() {
    let Ok(header) = fs::read_to_string(MINGW) else {
        testkit::skip(
            "the_types_are_those_of_the_mingw_header",
            "no computenetwork.h (install mingw-w64-common)",
        );
        return;
    };
    let theirs = prototypes(&header, "WINAPI ");
    // peers.md 1.2 counts 41 names; two of them are types.
    assert!(theirs.len() >= 39, "{} prototypes", theirs.len());
    for (name, (result, parameters)) in theirs {
        let export = COMPUTENETWORK
            .iter()
            .find(|export| export.name == name)
            .unwrap_or_else(|| panic!("{name} is not in the table"));
        let (own_result, own_parameters) = of_the_table(export);
        let types = |list: &[(String, String)]| -> Vec<String> {
            list.iter().map(|(kind, _)| kind.clone()).collect()
        };
        assert_eq!(
            (own_result, types(&own_parameters)),
            (result, types(&parameters)),
            "{name}"
        );
    }
}

#[test]
fn the_export_list_has_the_names_and_ordinals_of_the_table() {
    let list: BTreeMap<String, Option<u16>> = definitions("exports/computenetwork.def")
        .into_iter()
        .map(|line| match line.split_once(" @") {
            Some((name, ordinal)) => (name.to_owned(), Some(ordinal.parse().unwrap())),
            None => (line, None),
        })
        .collect();
    let table: BTreeMap<String, Option<u16>> = every_export()
        .map(|export| (export.name.to_owned(), export.ordinal))
        .collect();
    assert_eq!(list, table);
}

#[test]
fn vmcompute_points_at_computenetwork() {
    let forwarded: Vec<String> = VMCOMPUTE
        .iter()
        .map(|export| format!("{0} = computenetwork.{0}", export.name))
        .collect();
    assert_eq!(definitions("exports/vmcompute.def"), forwarded);
    // HNSCall, and the six that hcsshim imports to attach an endpoint to a container (hns-clients 1.2).
    assert_eq!(VMCOMPUTE.len(), 1 + 6);
}

/// The lines below EXPORTS.
fn definitions(path: &str) -> Vec<String> {
    file(path)
        .lines()
        .skip_while(|line| *line != "EXPORTS")
        .skip(1)
        .map(|line| line.trim().to_owned())
        .collect()
}

/// Windows 10 19041 exports 48 functions, numbered from 1 to 48 without a gap (hns-behaviour's export table); 7 came later.
#[test]
fn there_are_the_48_of_19041_and_7_newer() {
    let ordinals: BTreeSet<u16> = COMPUTENETWORK
        .iter()
        .filter_map(|export| export.ordinal)
        .collect();
    assert_eq!(ordinals, (1..=48).collect());
    assert_eq!(COMPUTENETWORK.len(), 48 + 7);
    let names: BTreeSet<&str> = every_export().map(|export| export.name).collect();
    assert_eq!(names.len(), 48 + 7 + 1 + 6, "no name stands twice");
}
