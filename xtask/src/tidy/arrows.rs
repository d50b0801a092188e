// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which crate may depend on which.
//!
//! Apart because the table is a decision, the one picture that a new dependency has to argue with. It speaks of what is shipped: normal
//! and build dependencies, not those of tests.

use std::{path::Path, process::Command};

use serde_json::Value;

use super::{
    Finding,
    tree::{Tree, line_of},
};

/// What one crate may depend on.
struct Room {
    name: &'static str,
    /// Crates of this repository.
    ours: &'static [&'static str],
    outside: Outside,
    /// Ends the sentence of a finding.
    because: &'static str,
}

/// Crates of others.
enum Outside {
    /// Only these: the crate promises to have no I/O, clock or runtime, and its dependencies have to promise it too.
    Only(&'static [&'static str]),
    /// Whatever is worth its compile time.
    Any,
}

use Outside::{Any, Only};

/// The arrows. The documents are the common language: whoever stands above the engine or behind the front door may name them.
const ROOMS: &[Room] = &[
    Room {
        name: "hcn-schema",
        ours: &[],
        outside: Only(&["ipnet", "serde", "serde_json"]),
        because: "the documents have no opinion, no I/O and no clock",
    },
    Room {
        name: "hcn-api",
        ours: &["hcn-schema"],
        outside: Only(&["serde_json", "thiserror"]),
        because: "the seam knows no backend and no async runtime",
    },
    Room {
        name: "hcn-engine",
        ours: &["hcn-schema"],
        outside: Only(&["ipnet", "serde_json", "thiserror"]),
        because: "the judge is pure: no I/O, no clock, no service",
    },
    Room {
        name: "hcn-service",
        ours: &["hcn-api", "hcn-engine", "hcn-schema"],
        outside: Any,
        because: "the service knows no operating system's network, no data plane and no terminal",
    },
    Room {
        name: "hcn-simulated",
        ours: &["hcn-engine", "hcn-schema"],
        outside: Any,
        because: "a data plane does not know the service",
    },
    Room {
        name: "hcn-linux",
        ours: &["hcn-engine", "hcn-schema"],
        outside: Any,
        because: "a data plane does not know the service",
    },
    Room {
        name: "hcn-abi",
        ours: &[],
        outside: Only(&[]),
        because: "the border only says what both sides agree on",
    },
    Room {
        name: "hcn-native",
        ours: &["hcn-abi", "hcn-api", "hcn-schema"],
        outside: Any,
        because: "the envoy speaks to any library that exports the border, and not to our service",
    },
    Room {
        name: "hcn-dll",
        // Through the front door, since which HNS is behind the mask is a target like any other.
        ours: &["hcn", "hcn-abi", "hcn-api"],
        outside: Any,
        because: "the mask holds no decision",
    },
    Room {
        name: "hcn-dll-vmcompute",
        ours: &[],
        outside: Only(&[]),
        because: "it only points at the other library",
    },
    Room {
        name: "hcn",
        ours: &["hcn-api", "hcn-native", "hcn-schema", "hcn-service"],
        outside: Any,
        because: "the front door is a thin layer above the seam",
    },
    Room {
        name: "hcnctl",
        ours: &[
            "conformance",
            "hcn",
            "hcn-engine",
            "hcn-linux",
            "hcn-schema",
            "hcn-simulated",
        ],
        outside: Any,
        because: "the desk asks through the front door and decides nothing",
    },
    Room {
        name: "conformance",
        ours: &["hcn-api", "hcn-schema"],
        outside: Only(&["serde_json"]),
        because: "the exam knows the seam and nobody who sits it",
    },
    Room {
        name: "replay",
        ours: &["hcn-api", "hcn-schema", "testkit"],
        outside: Only(&["serde_json"]),
        because: "the replay knows the seam and nobody who answers",
    },
    Room {
        name: "testkit",
        ours: &[],
        outside: Any,
        because: "tests of every crate use it",
    },
    Room {
        name: "xtask",
        ours: &[],
        outside: Any,
        because: "the chores have to build when the product does not",
    },
];

/// What `cargo metadata` says of the workspace's own crates.
pub fn metadata(repository: &Path) -> Result<Value, String> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(repository)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// Compares the dependencies with the table.
pub fn check(tree: &Tree, metadata: &Value) -> Result<Vec<Finding>, String> {
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata names no packages")?;
    let own: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = manifest_path(tree, name);
        let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
            findings.push(Finding::new(
                &manifest,
                1,
                format!("{name} has no row in the table of arrows (xtask/src/tidy/arrows.rs)"),
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            if dependency["kind"] == "dev" {
                continue;
            }
            let ours = own.contains(&to);
            let allowed = match room.outside {
                _ if ours => room.ours.contains(&to),
                Only(names) => names.contains(&to),
                Any => true,
            };
            if !allowed {
                let names = match room.outside {
                    Only(names) if !ours => names,
                    _ => room.ours,
                };
                let names = if names.is_empty() {
                    "nothing".to_owned()
                } else {
                    names.join(", ")
                };
                let kind = if ours { "ours" } else { "others'" };
                let line = line_of(tree.text(&manifest).unwrap_or_default(), |line| {
                    line.strip_prefix(to)
                        .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
                });
                findings.push(Finding::new(
                    &manifest,
                    line,
                    format!(
                        "{name} → {to}: of {kind} it may depend on {names}; {}",
                        room.because
                    ),
                ));
            }
        }
    }
    Ok(findings)
}

/// Path of a crate's manifest, from its name.
fn manifest_path(tree: &Tree, name: &str) -> String {
    tree.crates()
        .find(|folder| folder.rsplit('/').next() == Some(name))
        .map_or_else(
            || "Cargo.toml".to_owned(),
            |folder| format!("{folder}/Cargo.toml"),
        )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_one(name: &str, dependency: &str, kind: Value) -> Vec<String> {
        let manifest =
            format!("[dependencies]\nserde_json.workspace = true\n{dependency}.workspace = true\n");
        let path = format!("crates/{name}/Cargo.toml");
        let tree = Tree::of(&[(&path, &manifest)]);
        let metadata = json!({"packages": [
            {"name": name, "dependencies": [
                {"name": "serde_json", "kind": null}, {"name": dependency, "kind": kind}]},
            {"name": "hcn-service", "dependencies": []},
            {"name": "testkit", "dependencies": []},
        ]});
        let findings = check(&tree, &metadata).unwrap();
        findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn an_edge_that_the_table_does_not_have_is_found_with_its_rule() {
        assert_eq!(
            check_one("hcn-engine", "hcn-service", Value::Null),
            [
                "crates/hcn-engine/Cargo.toml:3: hcn-engine → hcn-service: of ours it may depend on hcn-schema; \
                 the judge is pure: no I/O, no clock, no service"
            ]
        );
        assert_eq!(
            check_one("hcn-schema", "tokio", json!("build")),
            [
                "crates/hcn-schema/Cargo.toml:3: hcn-schema → tokio: of others' it may depend on ipnet, serde, serde_json; \
                 the documents have no opinion, no I/O and no clock"
            ]
        );
    }

    #[test]
    fn nothing_that_is_shipped_depends_on_the_testkit() {
        assert_eq!(check_one("hcnctl", "testkit", Value::Null).len(), 1);
        assert_eq!(check_one("hcnctl", "testkit", json!("dev")), [""; 0]);
    }

    #[test]
    fn edges_of_tests_and_edges_of_the_table_are_in_order() {
        assert_eq!(
            check_one("hcn-engine", "hcn-service", json!("dev")),
            [""; 0]
        );
        assert_eq!(check_one("hcn", "hcn-service", Value::Null), [""; 0]);
        assert_eq!(check_one("hcn", "anything", Value::Null), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(
            check_one("hcn-cellar", "anything", Value::Null),
            [
                "crates/hcn-cellar/Cargo.toml:1: hcn-cellar has no row in the table of arrows (xtask/src/tidy/arrows.rs)"
            ]
        );
    }

    #[test]
    fn the_table_is_without_a_circle() {
        // Each round takes away the rooms that depend only on rooms taken away before.
        let mut left: Vec<&Room> = ROOMS.iter().collect();
        while !left.is_empty() {
            let names: Vec<&str> = left.iter().map(|room| room.name).collect();
            let before = left.len();
            left.retain(|room| room.ours.iter().any(|name| names.contains(name)));
            assert!(left.len() < before, "a circle through {names:?}");
        }
    }
}
