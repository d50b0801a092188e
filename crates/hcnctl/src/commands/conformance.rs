// SPDX-License-Identifier: MIT OR Apache-2.0
//! `conformance`: lets an HNS sit the exam that ours sits.
//!
//! Apart because it is the one command that makes objects and takes them away again by itself. Invariant: on the HNS of a Windows host it takes
//! no adapter unless it is told to, and no addresses that a network has.

use std::{
    fs,
    io::{self, IsTerminal},
    net::{IpAddr, Ipv4Addr, UdpSocket},
};

use conformance::{Block, Circumstances, Options, Progress, sit, sweep};
use hcn::{
    Target,
    service::{Clock, SystemClock},
};

use crate::{
    cli::{ConformanceArgs, ExamOutput},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    render::json,
    time,
};

/// Prints the report; the exit code says whether anything differs.
///
/// # Errors
/// Where the HNS cannot be asked at all, or what the exam made does not go.
pub fn run(desk: &mut Desk<'_>, args: &ConformanceArgs) -> Outcome {
    if desk.is_dry_run() {
        return Err(Failure::Usage(
            "an exam makes networks of its own; a dry run makes none".to_owned(),
        ));
    }
    let sweeping = || Failure::hns("take away what an exam left behind");
    let left = sweep(desk.client().hns()).map_err(sweeping())?;
    if left > 0 {
        desk.say(&format!(
            "taken away what an exam left that did not end: {left} {}",
            if left == 1 { "object" } else { "objects" }
        ))?;
    }
    let is_native = matches!(desk.target(), Target::Native(_));
    let own = if is_native { own_address() } else { None };
    let options = Options {
        only: args.only.clone(),
        external: args.external || !is_native,
        block: Block::free(desk.client().hns(), own)
            .map_err(Failure::hns("list the networks that are there"))?,
    };
    // A line that is written over wants a terminal.
    let width = desk.width.filter(|_| io::stderr().is_terminal());
    let hns = desk.connection().hns();
    let words = &mut *desk.words;
    let report = sit(&*hns, &options, &mut |progress| {
        if let Some(width) = width {
            // Who does not see how far it is still gets the report.
            let _ =
                write!(words, "\r\x1b[K{}", line(&progress, width)).and_then(|()| words.flush());
        }
    });
    if width.is_some() {
        write!(words, "\r\x1b[K").map_err(Failure::Output)?;
    }
    sweep(desk.client().hns()).map_err(sweeping())?;
    if report.rows.is_empty() {
        return Err(Failure::Usage(
            "no case has that in its name or section".to_owned(),
        ));
    }
    let circumstances = Circumstances {
        target: desk.target().to_string(),
        date: time::utc(SystemClock.now_ms()),
        windows: if is_native { windows() } else { None },
        program: concat!("hcnctl ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    if let Some(path) = &args.report {
        fs::write(path, report.markdown(&circumstances)).map_err(|error| Failure::File {
            path: path.display().to_string(),
            error,
        })?;
    }
    match args.output {
        ExamOutput::Text => desk.out.write_all(report.text(false).as_bytes())?,
        ExamOutput::Wide => desk.out.write_all(report.text(true).as_bytes())?,
        ExamOutput::Json => {
            json::write_object(&mut desk.out, &report.json(&circumstances).to_string())?;
        }
    }
    if let Some(path) = &args.report {
        desk.say(&format!("the report is in {}", path.display()))?;
    }
    Ok(match report.counts().differ {
        0 => exit::DONE,
        _ => exit::DENIED,
    })
}

/// How far an exam is, on one line.
fn line(progress: &Progress, width: usize) -> String {
    let differ = match progress.differ {
        0 => String::new(),
        number => format!("  {number} differ"),
    };
    let text = format!(
        "{:3} of {}{differ}  {:6} {}",
        progress.done,
        progress.all,
        progress.next.section,
        progress.next.words()
    );
    text.chars().take(width.saturating_sub(1)).collect()
}

/// The address that the host has on the way out. Nothing is sent: a UDP socket that is connected looks up its route.
fn own_address() -> Option<Ipv4Addr> {
    // An address of documentation (RFC 5737), and the port that discards.
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(own) => Some(own),
        IpAddr::V6(_) => None,
    }
}

/// Which Windows this is, in its own words.
fn windows() -> Option<String> {
    if !cfg!(windows) {
        return None;
    }
    let output = std::process::Command::new("cmd")
        .args(["/c", "ver"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use conformance::cases;

    use super::*;

    #[test]
    fn the_line_of_progress_stays_on_one_line() {
        let progress = Progress {
            done: 7,
            all: 331,
            next: cases::all().next().unwrap(),
            differ: 2,
        };
        let text = line(&progress, 200);
        assert!(text.starts_with("  7 of 331  2 differ  "), "{text}");
        assert_eq!(line(&progress, 40).chars().count(), 39);
    }
}
