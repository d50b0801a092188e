// SPDX-License-Identifier: MIT OR Apache-2.0
//! The picture in the README: what `hcnctl demo --seed-ids` really printed, as an SVG of a terminal.
//!
//! Made from the program's own output, never by hand, so that it cannot show what the program does not say.

use std::{fmt::Write, fs, path::Path, process::Command};

/// Steps that the picture shows: the beginning of the command line, with what follows up to the next heading or command.
const SHOWN: &[&str] = &[
    "$ hcnctl ps",
    "$ hcnctl probe client nginx:80/tcp",
    "$ hcnctl acl add nginx",
    "$ hcnctl probe client nginx:80/tcp",
    "$ hcnctl acl set nginx",
    "$ hcnctl probe client nginx:80/tcp",
    "$ hcnctl diff @5 now",
];

/// Columns of the terminal; longer lines are wrapped as a terminal does.
const COLUMNS: usize = 118;
/// Pixels of a column and of a line, for a monospaced font of 13 pixels.
const COLUMN: f64 = 7.83;
const LINE: usize = 18;

/// Runs the demo and writes `docs/demo.svg`; whether that was possible.
pub fn draw(repository: &Path) -> bool {
    let program = Command::new("cargo")
        .args([
            "run",
            "--release",
            "--quiet",
            "-p",
            "hcnctl",
            "--",
            "demo",
            "--seed-ids",
        ])
        .current_dir(repository)
        .output();
    let output = match program {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            eprintln!(
                "the demo failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            return false;
        }
        Err(error) => {
            eprintln!("the demo cannot be run: {error}");
            return false;
        }
    };
    let lines = excerpt(&String::from_utf8_lossy(&output.stdout));
    let path = repository.join("docs/demo.svg");
    match fs::write(&path, svg(&lines)) {
        Ok(()) => true,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            false
        }
    }
}

/// The lines of the steps that are shown, in order.
fn excerpt(transcript: &str) -> Vec<String> {
    let mut lines = transcript.lines().peekable();
    let mut shown = Vec::new();
    for wanted in SHOWN {
        for line in lines.by_ref() {
            if line.starts_with(wanted) {
                shown.push(line.to_owned());
                break;
            }
        }
        while let Some(line) =
            lines.next_if(|line| !line.starts_with("$ ") && !line.starts_with("# "))
        {
            shown.push(line.to_owned());
        }
    }
    while shown.last().is_some_and(|line| line.trim().is_empty()) {
        shown.pop();
    }
    shown
}

/// A terminal with these lines.
fn svg(lines: &[String]) -> String {
    let rows: Vec<(String, &str)> = lines
        .iter()
        .flat_map(|line| {
            let colour = colour(line);
            let letters: Vec<char> = line.chars().collect();
            let pieces: Vec<String> = if letters.is_empty() {
                vec![String::new()]
            } else {
                letters
                    .chunks(COLUMNS)
                    .map(|piece| piece.iter().collect())
                    .collect()
            };
            pieces.into_iter().map(move |piece| (piece, colour))
        })
        .collect();
    let (width, height) = (
        (COLUMNS as f64 * COLUMN) as usize + 32,
        rows.len() * LINE + 32,
    );
    let mut page = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"13\" xml:space=\"preserve\">\n"
    );
    for (row, (text, colour)) in rows.iter().enumerate() {
        let y = 16 + row * LINE + 13;
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let _ = writeln!(
            page,
            "<text x=\"16\" y=\"{y}\" fill=\"{colour}\">{text}</text>"
        );
    }
    page.push_str("</g>\n</svg>\n");
    page
}

fn colour(line: &str) -> &'static str {
    if line.starts_with("$ ") {
        "#79c0ff"
    } else if line.contains("timed out") || line.contains("dropped at") {
        "#ff7b72"
    } else if line.contains("answered") {
        "#7ee787"
    } else {
        "#c9d1d9"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_steps_that_are_named_are_shown() {
        let transcript = "# a\n$ hcnctl create network nat\nx\n$ hcnctl ps\nID\n\n# b\n$ hcnctl probe client nginx:80/tcp\nanswered\n";
        assert_eq!(
            excerpt(transcript),
            [
                "$ hcnctl ps",
                "ID",
                "",
                "$ hcnctl probe client nginx:80/tcp",
                "answered"
            ]
        );
    }

    #[test]
    fn letters_that_mean_something_in_xml_are_escaped() {
        assert!(svg(&["a < b & c".to_owned()]).contains("a &lt; b &amp; c"));
    }
}
