// SPDX-License-Identifier: MIT OR Apache-2.0
//! The list of many endpoints under Wine: our typed client against hcsshim's package hcn, on the same library and the same store.
//!
//! Apart from the benchmarks of cargo, which know neither Go nor Wine. The two take turns, so that both meet the same machine; what is told
//! are medians over all turns.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use crate::windows::{self, Built, good};

const ENDPOINTS: usize = 1000;
const TURNS: usize = 4;
/// Lists in one turn; the first of each is thrown away, since it opens the store.
const RUNS: usize = 12;

/// Measures and prints; whether everything ran.
pub fn run(repository: &Path) -> bool {
    match measure(repository) {
        Ok(()) => true,
        Err(error) => {
            println!("bench-windows: {error}");
            false
        }
    }
}

fn measure(repository: &Path) -> Result<(), String> {
    let built = windows::build(repository, true)?;
    let ours = windows::example(repository, &built, "hcn", "list")?;
    let theirs = repository.join("target/interop");
    std::fs::create_dir_all(&theirs).map_err(|error| format!("{}: {error}", theirs.display()))?;
    let theirs = theirs
        .canonicalize()
        .map_err(|error| format!("{}: {error}", theirs.display()))?
        .join("list.exe");
    good(
        "go build",
        Command::new("go")
            .args(["build", "-o"])
            .arg(&theirs)
            .arg("./list")
            .current_dir(repository.join("testing/interop"))
            .env("GOTOOLCHAIN", "local")
            .env("GOOS", "windows")
            .env("GOARCH", "amd64")
            .env("CGO_ENABLED", "0"),
    )?;
    fill(&built)?;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for (program, times) in [&ours, &theirs].into_iter().zip(&mut times) {
            times.extend(turn(&built, program)?);
        }
    }
    let [ours, theirs] = times.map(|mut times| median(&mut times));
    println!(
        "list of {ENDPOINTS} endpoints, medians of {TURNS} turns of {} lists",
        RUNS - 1
    );
    println!("  hcn's typed client {:>8.1} ms", ours as f64 / 1000.0);
    println!("  hcsshim's hcn      {:>8.1} ms", theirs as f64 / 1000.0);
    println!("  ratio              {:>8.2}", ours as f64 / theirs as f64);
    Ok(())
}

const STATE: &str = r"C:\bench";

/// Makes the store: endpoints like those of a node, with an address, a MAC address and two rules each.
fn fill(built: &Built) -> Result<(), String> {
    built.prefix.empty_folder("bench")?;
    let hcnctl = |words: &[&str]| {
        let output = built
            .prefix
            .run(built.folder.join("hcnctl.exe"))
            .args(["--host", &format!("embedded:{STATE}")])
            .args(words)
            .output()
            .map_err(|error| format!("hcnctl.exe: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "hcnctl.exe: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ))
    };
    hcnctl(&[
        "create",
        "network",
        "lan",
        "--type",
        "L2Bridge",
        "--subnet",
        "10.0.0.0/16",
    ])?;
    let document = built.prefix.drive().join("bench/endpoints.json");
    std::fs::write(&document, endpoints().to_string())
        .map_err(|error| format!("{}: {error}", document.display()))?;
    hcnctl(&[
        "create",
        "--file",
        &format!(r"{STATE}\endpoints.json"),
        "--network",
        "lan",
    ])
}

fn endpoints() -> Value {
    let rule = |direction: &str, action: &str, priority: u16| {
        json!({"Type": "ACL", "Settings": {"Action": action, "Direction": direction, "Protocols": "6", "LocalPorts": "80",
            "RuleType": "Switch", "Priority": priority}})
    };
    (0..ENDPOINTS)
        .map(|number| {
            json!({
                "SchemaVersion": {"Major": 2, "Minor": 0},
                "Name": format!("web-{number}"),
                "IpConfigurations": [{"IpAddress": format!("10.0.{}.{}", 1 + number / 250, 2 + number % 250)}],
                "MacAddress": format!("02-00-00-{:02x}-{:02x}-00", number / 256, number % 256),
                "Policies": [rule("In", "Block", 100), rule("Out", "Allow", 65500)],
            })
        })
        .collect()
}

/// Microseconds of each list of one turn but the first.
fn turn(built: &Built, program: &Path) -> Result<Vec<u64>, String> {
    let output = built
        .prefix
        .run(program)
        .args([RUNS.to_string(), ENDPOINTS.to_string()])
        .env("HCNCTL_STATE", STATE)
        .env_remove("HCNCTL_HOST")
        .env_remove("HCNCTL_PROFILE")
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let times: Vec<u64> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect();
    if !output.status.success() || times.len() != RUNS {
        return Err(format!(
            "{}: {}: {}",
            program.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    Ok(times[1..].to_vec())
}

fn median(times: &mut [u64]) -> u64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(&mut [9, 1, 5]), 5);
        assert_eq!(median(&mut []), 0);
    }

    #[test]
    fn no_two_endpoints_have_one_address() {
        let all = endpoints();
        let addresses: std::collections::BTreeSet<&str> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|endpoint| {
                endpoint["IpConfigurations"][0]["IpAddress"]
                    .as_str()
                    .unwrap()
            })
            .collect();
        assert_eq!(addresses.len(), ENDPOINTS);
    }
}
