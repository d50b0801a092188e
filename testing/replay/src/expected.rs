// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every answer has to be: the written answers of a recording, in `expected/NAME.txt`.
//!
//! Apart because the files are read and judged by people: a line a call, then a line for each object that is left. They hold what hns-behaviour
//! says of the answer to each request (sections 2.1 to 2.7 and 2.14 to 2.16, 1.5 for failures), with marks for what HNS makes up. With
//! `HCNCTL_BLESS=1` the service's answers are written down, for someone to read the difference against those sections.

use std::{env, fs, path::PathBuf};

use crate::{course::Course, trace::Trace};

/// Between the calls and the end.
const END: &str = "--- what is left";

fn file(trace: Trace) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("expected")
        .join(format!("{}.txt", trace.name))
}

/// Whether to write the answers down instead of comparing them.
pub fn blesses() -> bool {
    env::var("HCNCTL_BLESS").is_ok_and(|value| value == "1")
}

/// Writes the answers down.
pub fn bless(trace: Trace, course: &Course) {
    let mut lines = course.answers.clone();
    lines.push(END.to_owned());
    lines.extend(course.end.iter().cloned());
    let file = file(trace);
    fs::write(&file, lines.join("\n") + "\n")
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

/// Panics at the first answer, and the first object at the end, that is not as it is written.
pub fn assert_as_written(trace: Trace, course: &Course) {
    let file = file(trace);
    let text =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let written: Vec<&str> = text.lines().collect();
    let middle = written
        .iter()
        .position(|line| *line == END)
        .expect("the line before what is left");
    let (answers, left) = (&written[..middle], &written[middle + 1..]);
    for (number, (written, answer)) in answers.iter().zip(&course.answers).enumerate() {
        assert_eq!(answer, written, "{} call {}", trace.name, number + 1);
    }
    assert_eq!(course.answers.len(), answers.len(), "{} calls", trace.name);
    for (written, object) in left.iter().zip(&course.end) {
        assert_eq!(object, written, "{} at the end", trace.name);
    }
    assert_eq!(course.end.len(), left.len(), "{} objects left", trace.name);
}
