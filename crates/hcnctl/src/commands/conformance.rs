// SPDX-License-Identifier: MIT OR Apache-2.0
//! `conformance`: lets an HNS sit the exam that ours sits.
//!
//! Apart because it is the one command that makes objects and takes them away again by itself. Invariant: on the HNS of a Windows host it takes
//! no adapter unless it is told to, and no addresses that a network has.

use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    net::{IpAddr, Ipv4Addr, UdpSocket},
    path::Path,
};

use conformance::{Block, Circumstances, Options, Progress, Report, chosen, sit, sweep};
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
    if chosen(args.only.as_deref()).is_empty() {
        return Err(Failure::Usage(
            "no case has that in its name or section".to_owned(),
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
            .map_err(Failure::hns("find addresses for the exam"))?,
    };
    // Before the exam, which would have been sat for nothing.
    let file = match args.report.as_deref() {
        Some(path) => Some((File::create(path).map_err(unusable(path))?, path)),
        None => None,
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
        let _ = write!(words, "\r\x1b[K");
    }
    let swept = sweep(desk.client().hns()).map_err(sweeping());
    let circumstances = Circumstances {
        target: desk.target().to_string(),
        date: time::utc(SystemClock.now_ms()),
        windows: if is_native { windows() } else { None },
        program: concat!("hcnctl ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    // What came of the exam is handed over before it is told that something did not go.
    let handed_over = hand_over(
        (&mut *desk.out, &mut *desk.words),
        args.output,
        file,
        &report,
        &circumstances,
    );
    swept?;
    handed_over?;
    Ok(match report.counts().differ {
        0 => exit::DONE,
        _ => exit::DENIED,
    })
}

/// Prints a report, and writes its page: each of them, whatever comes of the other.
fn hand_over(
    (out, words): (&mut dyn Write, &mut dyn Write),
    output: ExamOutput,
    file: Option<(impl Write, &Path)>,
    report: &Report,
    circumstances: &Circumstances,
) -> Result<(), Failure> {
    let printed = match output {
        ExamOutput::Text => out.write_all(report.text(false).as_bytes()),
        ExamOutput::Wide => out.write_all(report.text(true).as_bytes()),
        ExamOutput::Json => {
            json::write_object(&mut &mut *out, &report.json(circumstances).to_string())
        }
    };
    if let Some((mut file, path)) = file {
        file.write_all(report.markdown(circumstances).as_bytes())
            .map_err(unusable(path))?;
        writeln!(words, "the report is in {}", path.display())?;
    }
    Ok(printed?)
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    |error| Failure::File {
        path: path.display().to_string(),
        error,
    }
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

    /// A disk that is full.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_report_is_printed_where_it_cannot_be_written_and_written_where_it_cannot_be_printed() {
        let report = Report {
            version: None,
            block: Block::WRITTEN,
            rows: Vec::new(),
        };
        let (mut out, mut page, circumstances) = (Vec::new(), Vec::new(), Circumstances::default());
        let path = Path::new("hns.md");
        let failure = hand_over(
            (&mut out, &mut io::sink()),
            ExamOutput::Text,
            Some((Full, path)),
            &report,
            &circumstances,
        );
        assert!(matches!(failure, Err(Failure::File { .. })));
        assert_eq!(String::from_utf8(out).unwrap(), report.text(false));
        let failure = hand_over(
            (&mut Full, &mut io::sink()),
            ExamOutput::Text,
            Some((&mut page, path)),
            &report,
            &circumstances,
        );
        assert!(matches!(failure, Err(Failure::Output(_))));
        assert_eq!(
            String::from_utf8(page).unwrap(),
            report.markdown(&circumstances)
        );
    }

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
