// SPDX-License-Identifier: MIT OR Apache-2.0
//! Transcripts: the program as a person types it, with what it prints and how it ends.
//!
//! Each file of `cases` is run by a shell from top to bottom in a directory of its own; what comes out is compared with the file. A line
//! `! ` is one of standard error, `[exit 3]` the exit code where it is not 0. Ids, times and MAC addresses that HNS chooses are replaced by
//! placeholders of the same width; ids of the form `…-0000-4000-8000-…` are the transcript's own and stay. `HCNCTL_BLESS=1` writes the files
//! anew: read what changed.
#![cfg(unix)]

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

#[test]
fn objects_are_listed_in_every_form() {
    transcript("get");
}

#[test]
fn pages_tell_what_documents_do_not() {
    transcript("describe");
}

#[test]
fn objects_are_created_and_deleted_by_words_and_by_documents() {
    transcript("create");
}

#[test]
fn what_cannot_be_done_is_told_with_code_and_exit_code() {
    transcript("failures");
}

#[test]
fn listings_and_moments_are_compared() {
    transcript("diff");
}

#[test]
fn a_policy_file_is_planned_applied_confirmed_and_taken_back() {
    transcript("apply");
}

#[test]
fn a_plan_says_what_opens_and_closes_for_whom() {
    transcript("plan");
}

#[test]
fn what_is_wrong_in_rules_is_found_with_its_fix() {
    transcript("lint");
}

#[test]
fn every_pair_is_told_in_every_form() {
    transcript("reach");
}

#[test]
fn history_tells_of_objects_that_are_gone() {
    transcript("history");
}

#[test]
fn every_command_works_over_a_library_as_far_as_it_has_no_log() {
    transcript("native");
}

#[test]
fn verdicts_are_explained() {
    transcript("why");
}

#[test]
fn packets_of_a_capture_are_explained() {
    let folder = Folder::new("packets");
    let (client, server) = (([172, 20, 0, 8], 50_000), ([172, 20, 0, 9], 80));
    let begin = 1_700_000_000_000;
    let idle = [
        (begin, client, server, SYN),
        (begin + 1, server, client, SYN | ACK),
        (begin + 241_001, server, client, ACK),
        (begin + 241_500, client, server, ACK),
        (begin + 241_501, server, client, ACK),
    ];
    fs::write(folder.path.join("idle.pcap"), capture(&idle)).unwrap();
    fs::write(
        folder.path.join("timeless.pcap"),
        capture(&idle.map(|(_, from, to, flags)| (0, from, to, flags))),
    )
    .unwrap();
    let ended = [
        (begin, client, server, SYN),
        (begin + 5, client, server, RST),
        (begin + 10, server, client, ACK),
        (begin + 10_006, server, client, ACK),
        (begin + 10_007, client, server, SYN),
        (begin + 10_008, client, server, RST),
        (begin + 10_009, server, client, SYN),
    ];
    fs::write(folder.path.join("ended.pcap"), capture(&ended)).unwrap();
    transcript_in("packets", &folder);
}

/// Flags of a TCP segment (RFC 9293 3.1).
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

type End = ([u8; 4], u16);

/// A pcap file (draft-ietf-opsawg-pcap) of TCP segments: milliseconds, from whom, to whom, and flags.
fn capture(segments: &[(u64, End, End, u8)]) -> Vec<u8> {
    const RAW: u32 = 101;
    let mut file = Vec::new();
    for value in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, RAW] {
        file.extend(value.to_le_bytes());
    }
    for (milliseconds, from, to, flags) in segments {
        // RFC 791 and RFC 9293: 20 bytes each.
        let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0];
        packet.extend([from.0, to.0].concat());
        packet.extend([from.1, to.1].map(u16::to_be_bytes).concat());
        packet.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, *flags, 0, 0, 0, 0, 0, 0]);
        let length = packet.len() as u32;
        let (seconds, parts) = (milliseconds / 1_000, milliseconds % 1_000 * 1_000);
        for value in [seconds as u32, parts as u32, length, length] {
            file.extend(value.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

#[test]
fn completion_scripts_know_commands_and_options() {
    let folder = Folder::new("completions");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = folder.shell(&format!("hcnctl completions {shell} > {shell}.script"));
        assert!(output.status.success(), "{shell}");
        let script = fs::read_to_string(folder.path.join(format!("{shell}.script"))).unwrap();
        for word in ["describe", "dry-run", "policies"] {
            // PowerShell and elvish complete options and commands, not values.
            if word == "policies" && ["powershell", "elvish"].contains(&shell) {
                continue;
            }
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert!(
        !folder.path.join("state").exists(),
        "completions need no store"
    );
    if folder.shell("command -v bash").status.success() {
        let output = folder.shell("bash -n bash.script");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    } else {
        testkit::skip(
            "completion_scripts_know_commands_and_options",
            "bash is not installed",
        );
    }
}

#[test]
fn whoever_closes_the_pipe_early_is_not_told_of_an_error() {
    let folder = Folder::new("pipe");
    let output = folder.shell(
        "hcnctl create network nat 2>/dev/null; (hcnctl get networks -o json; echo $? >&2) | true",
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), "0\n");
}

#[test]
fn an_exam_whose_report_could_not_be_kept_does_not_begin() {
    let folder = Folder::new("exam");
    let output = folder.shell("hcnctl conformance --only 2.5 --report none/hns.md");
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains("none/hns.md"), "{words}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    // Nor is there an empty report of an exam without cases.
    let output = folder.shell("hcnctl conformance --only nothing-of-this --report hns.md");
    assert_eq!(output.status.code(), Some(2));
    assert!(!folder.path.join("hns.md").exists());
    let output = folder.shell("hcnctl conformance --only 2.5 --report hns.md");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let page = fs::read_to_string(folder.path.join("hns.md")).unwrap();
    assert!(page.contains(", 0 otherwise,"), "{page}");
}

/// A directory that a test works in, with its own store; gone with the test.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn new(name: &str) -> Folder {
        let path = env::temp_dir().join(format!("hcnctl-cli-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder { path }
    }

    /// Runs a command line; `hcnctl` is the program under test, `$LIBRARY` the target of our library.
    fn shell(&self, line: &str) -> Output {
        let programs = Path::new(env!("CARGO_BIN_EXE_hcnctl")).parent().unwrap();
        let mut path = programs.as_os_str().to_owned();
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        Command::new("sh")
            .args(["-c", line])
            .current_dir(&self.path)
            .env("PATH", path)
            .env("HCNCTL_STATE", "state")
            .env("LIBRARY", {
                let mut target = OsString::from("native:");
                target.push(library());
                target
            })
            .env_remove("HCNCTL_HOST")
            .env_remove("HCNCTL_PROFILE")
            .output()
            .unwrap()
    }
}

/// Our library, built with this test.
fn library() -> PathBuf {
    let name = format!("libcomputenetwork{}", env::consts::DLL_SUFFIX);
    let test = env::current_exe().unwrap();
    test.ancestors()
        .skip(1)
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file())
        .expect("the library was built with its tests")
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Runs a case and compares.
fn transcript(name: &str) {
    transcript_in(name, &Folder::new(name));
}

/// Runs a case in a folder that has what the case needs.
fn transcript_in(name: &str, folder: &Folder) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(format!("{name}.txt"));
    let expected = fs::read_to_string(&path).unwrap();
    let mut actual = String::new();
    let mut lines = expected.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("## ") {
            actual.push_str(&format!("{line}\n"));
        } else if let Some(command) = line.strip_prefix("$ ") {
            let mut command = command.to_owned();
            actual.push_str(&format!("{line}\n"));
            while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
                actual.push_str(&format!("{more}\n"));
                command.push('\n');
                command.push_str(&more[2..]);
            }
            let output = folder.shell(&command);
            actual.push_str(&said(&output));
            actual.push('\n');
        }
    }
    if env::var_os("HCNCTL_BLESS").is_some() {
        fs::write(&path, actual).unwrap();
    } else if actual != expected {
        let line = actual
            .lines()
            .zip(expected.lines())
            .take_while(|(own, wanted)| own == wanted)
            .count();
        panic!(
            "{} differs from line {} on; what came out:\n{actual}",
            path.display(),
            line + 1
        );
    }
}

/// What a command printed and how it ended.
fn said(output: &Output) -> String {
    let mut text = placeholders(&String::from_utf8_lossy(&output.stdout));
    for line in placeholders(&String::from_utf8_lossy(&output.stderr)).lines() {
        text.push_str(&format!("! {line}\n"));
    }
    match output.status.code() {
        Some(0) => {}
        Some(code) => text.push_str(&format!("[exit {code}]\n")),
        None => text.push_str("[killed]\n"),
    }
    text
}

/// `h` is a hexadecimal digit, `9` a decimal one, anything else itself; and what such a text becomes, where it is not the case's own.
const PLACEHOLDERS: [(&str, &str); 4] = [
    (
        "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh",
        "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
    ),
    ("9999-99-99 99:99:99Z", "YYYY-MM-DD HH:MM:SSZ"),
    ("00-15-5D-hh-hh-hh", "00-15-5D-xx-xx-xx"),
    // Milliseconds since 1970; the times of HNS itself have 18 digits.
    ("9999999999999", "(time)"),
];

fn placeholders(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut replaced = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let begins = at == 0 || !characters[at - 1].is_ascii_alphanumeric();
        let found = PLACEHOLDERS
            .iter()
            .filter(|_| begins)
            .find_map(|(pattern, placeholder)| {
                let mut length = pattern.len();
                let own = characters.get(at..at + length)?;
                let fits = own
                    .iter()
                    .zip(pattern.chars())
                    .all(|(own, wanted)| match wanted {
                        'h' => own.is_ascii_hexdigit(),
                        '9' => own.is_ascii_digit(),
                        other => *own == other,
                    });
                let own: String = own.iter().collect();
                if !fits || own.contains("-0000-4000-8000-") {
                    return None;
                }
                while characters
                    .get(at + length)
                    .is_some_and(char::is_ascii_digit)
                {
                    length += 1;
                }
                Some((length, *placeholder))
            });
        match found {
            Some((length, placeholder)) => {
                replaced.push_str(placeholder);
                at += length;
            }
            None => {
                replaced.push(characters[at]);
                at += 1;
            }
        }
    }
    replaced
}
