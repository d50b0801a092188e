// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bad stores: what cannot be opened, read or written, each with its code, and what was in it is still there.
//!
//! Apart from the table of bad requests because each needs a file or a file system of its own making.

use std::{fs, path::Path};

use hcn_api::{Answer, Hns, HnsVersion, Kind, ObjectId};
use hcn_schema::Guid;
use hcn_service::{Options, STORE_FILE, Service};
use rusqlite::Connection;
use serde_json::json;

use crate::scene::{Directory, V2, audit, mounted, refusal, repeatable, subnetted, two};

fn open(state: &Path) -> Answer<Service> {
    Service::open(repeatable(state))
}

fn put_network(service: &Service, name: &str, third: u8) -> Answer<Guid> {
    let document = subnetted(
        "NAT",
        name,
        &format!("10.7.{third}.0/24"),
        &format!("10.7.{third}.1"),
    );
    service.create(Kind::Network, None, Guid::ZERO, &two(document).to_string())
}

/// The code and the sentence of an open that must fail; the file is the same afterwards.
fn refused(state: &Path, number: u32, name: &str, words: &str) {
    let file = state.join(STORE_FILE);
    let before = fs::read(&file).unwrap();
    let error = refusal(open(state).map(|_| ()));
    assert_eq!(error.code.0, number, "{error}");
    assert_eq!(error.code.name(), Some(name));
    let sentence = error.to_string();
    assert!(sentence.contains(words), "{sentence}");
    assert!(sentence.contains(&file.display().to_string()), "{sentence}");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let directory = Directory::new();
    put_network(&open(directory.path()).unwrap(), "nat", 0).unwrap();
    Connection::open(directory.path().join(STORE_FILE))
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    refused(
        directory.path(),
        0x8007_0022,
        "ERROR_WRONG_DISK",
        "layout 99",
    );
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = Directory::new();
    let file = directory.path().join(STORE_FILE);
    fs::write(
        &file,
        "this is a letter to a friend, long enough to be more than a header of a database\n"
            .repeat(40),
    )
    .unwrap();
    refused(
        directory.path(),
        0x8007_0570,
        "ERROR_FILE_CORRUPT",
        "not a store",
    );
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let directory = Directory::new();
    let other = Connection::open(directory.path().join(STORE_FILE)).unwrap();
    other
        .execute_batch("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x');")
        .unwrap();
    drop(other);
    refused(
        directory.path(),
        0x8007_0022,
        "ERROR_WRONG_DISK",
        "another program",
    );
}

/// An empty file is what is left of a process that was killed while it made the store.
#[test]
fn an_empty_file_becomes_a_store() {
    let directory = Directory::new();
    fs::write(directory.path().join(STORE_FILE), "").unwrap();
    let service = open(directory.path()).unwrap();
    put_network(&service, "nat", 0).unwrap();
    assert_eq!(service.list(Kind::Network, V2).unwrap().len(), 1);
}

#[test]
fn a_damaged_store_says_so() {
    let directory = Directory::new();
    put_network(&open(directory.path()).unwrap(), "nat", 0).unwrap();
    let file = directory.path().join(STORE_FILE);
    let mut bytes = fs::read(&file).unwrap();
    // Every page but the first, which holds the header and the schema.
    bytes[4096..].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    let error = match open(directory.path()) {
        Ok(service) => refusal(service.list(Kind::Network, V2).map(|_| ())),
        Err(error) => error,
    };
    assert_eq!(error.code.0, 0x8007_0570, "{error}");
}

#[test]
fn a_state_directory_that_is_a_file_is_refused() {
    let directory = Directory::new();
    let state = directory.path().join("state");
    fs::write(&state, "").unwrap();
    let error = refusal(open(&state).map(|_| ()));
    assert_eq!(error.code.name(), Some("E_INVALIDARG"), "{error}");
    assert!(
        error.to_string().contains(&state.display().to_string()),
        "{error}"
    );
}

#[test]
fn a_version_without_profile_is_refused_before_a_store_is_made() {
    let directory = Directory::new();
    let options = Options {
        version: Some(HnsVersion::new(14, 2)),
        ..repeatable(directory.path())
    };
    let error = refusal(Service::open(options).map(|_| ()));
    assert_eq!(error.code.0, 0x8007_0057);
    assert!(
        error.to_string().contains("14.2") && error.to_string().contains("15.0"),
        "{error}"
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_store_keeps_the_version_that_it_was_made_for() {
    let directory = Directory::new();
    let options = Options {
        version: Some(HnsVersion::new(9, 2)),
        ..repeatable(directory.path())
    };
    drop(Service::open(options).unwrap());
    assert_eq!(
        open(directory.path()).unwrap().profile().version,
        HnsVersion::new(9, 2)
    );
}

/// Everything is read and nothing is written, and the code says why.
fn reads_only(state: &Path, known: &str) {
    let service = open(state).unwrap();
    let networks = service.list(Kind::Network, V2).unwrap();
    assert_eq!(networks.len(), 1);
    assert!(networks[0].contains(known), "{networks:?}");
    assert_eq!(service.history(None, 10).unwrap().len(), 1);
    let id = crate::scene::ids(&service.enumerate(Kind::Network, "").unwrap())[0];
    let object = ObjectId {
        kind: Kind::Network,
        id,
    };
    for error in [
        refusal(put_network(&service, "other", 1).map(|_| ())),
        refusal(service.delete(object)),
    ] {
        assert_eq!(error.code.0, 0x8007_0013, "{error}");
        assert_eq!(error.code.name(), Some("ERROR_WRITE_PROTECT"));
        assert!(
            error.to_string().contains("read-only; nothing was changed"),
            "{error}"
        );
    }
    assert_eq!(service.list(Kind::Network, V2).unwrap(), networks);
    service.check_store().unwrap();
}

#[test]
fn a_store_on_a_read_only_disk_is_read_and_not_written() {
    let test = "store::a_store_on_a_read_only_disk_is_read_and_not_written";
    let Some(state) = mounted::inside(test, "mount -t tmpfs -o size=4m none \"$1\"") else {
        return;
    };
    put_network(&open(&state).unwrap(), "closed", 0).unwrap();
    mounted::shell("mount -o remount,ro \"$1\"", &state);
    reads_only(&state, "closed");
}

/// A process that was killed leaves what it had answered in the write-ahead log.
#[test]
fn what_lies_in_the_log_of_a_killed_process_is_read_on_a_read_only_disk() {
    let test = "store::what_lies_in_the_log_of_a_killed_process_is_read_on_a_read_only_disk";
    let Some(state) = mounted::inside(test, "mount -t tmpfs -o size=4m none \"$1\"") else {
        return;
    };
    // A copy of the files of an open store is what a killed process leaves.
    let other = state.join("copy");
    let service = open(&state).unwrap();
    put_network(&service, "logged", 0).unwrap();
    mounted::shell(
        "mkdir \"$1\"/copy && cp \"$1\"/hns.sqlite3* \"$1\"/copy/",
        &state,
    );
    assert!(
        other
            .join(format!("{STORE_FILE}-wal"))
            .metadata()
            .unwrap()
            .len()
            > 0
    );
    drop(service);
    mounted::shell("mount -o remount,ro \"$1\"", &state);
    reads_only(&other, "logged");
    drop(other);
}

#[test]
fn the_log_is_read_on_a_read_only_disk_without_its_index_too() {
    let test = "store::the_log_is_read_on_a_read_only_disk_without_its_index_too";
    let Some(state) = mounted::inside(test, "mount -t tmpfs -o size=4m none \"$1\"") else {
        return;
    };
    let service = open(&state).unwrap();
    put_network(&service, "logged", 0).unwrap();
    // As a backup that leaves out the index, which SQLite can make again.
    mounted::shell(
        "mkdir \"$1\"/copy && cp \"$1\"/hns.sqlite3 \"$1\"/hns.sqlite3-wal \"$1\"/copy/",
        &state,
    );
    drop(service);
    mounted::shell("mount -o remount,ro \"$1\"", &state);
    let error = match open(&state.join("copy")) {
        // Reading an older state without a word would be a loss of what was answered.
        Ok(service) => {
            let networks = service.list(Kind::Network, V2).unwrap();
            assert!(
                networks.len() == 1 && networks[0].contains("logged"),
                "{networks:?}"
            );
            return;
        }
        Err(error) => error,
    };
    assert_eq!(error.code.name(), Some("ERROR_WRITE_PROTECT"), "{error}");
}

#[test]
fn no_store_is_made_on_a_read_only_disk() {
    let test = "store::no_store_is_made_on_a_read_only_disk";
    let Some(state) = mounted::inside(test, "mount -t tmpfs -o ro none \"$1\"") else {
        return;
    };
    let error = refusal(open(&state.join("new")).map(|_| ()));
    assert_eq!(error.code.name(), Some("ERROR_WRITE_PROTECT"), "{error}");
    let error = refusal(open(&state).map(|_| ()));
    assert!(
        ["ERROR_WRITE_PROTECT", "E_ACCESSDENIED"].contains(&error.code.name().unwrap()),
        "{error}"
    );
}

#[test]
fn a_full_disk_refuses_and_nothing_is_half_done() {
    let test = "store::a_full_disk_refuses_and_nothing_is_half_done";
    let Some(state) = mounted::inside(test, "mount -t tmpfs -o size=1m none \"$1\"") else {
        return;
    };
    let service = open(&state).unwrap();
    let network = put_network(&service, "nat", 0).unwrap();
    mounted::shell(
        "head -c 2000000 /dev/zero > \"$1\"/ballast 2>/dev/null; true",
        &state,
    );
    let put = |service: &Service| {
        service.create(
            Kind::Endpoint,
            Some(network),
            Guid::ZERO,
            &two(json!({})).to_string(),
        )
    };
    // What fits into the space that the log has already may still succeed.
    let mut made = 0;
    let error = loop {
        match put(&service) {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
        assert!(made < 200, "the disk never filled");
    };
    assert_eq!(error.code.0, 0x8007_0070, "{error}");
    assert_eq!(error.code.name(), Some("ERROR_DISK_FULL"));
    assert!(
        error
            .to_string()
            .contains("the disk is full; nothing was changed"),
        "{error}"
    );
    assert_eq!(service.list(Kind::Endpoint, V2).unwrap().len(), made);
    assert_eq!(service.last_operation().unwrap(), made as u64 + 1);
    assert_eq!(refusal(put(&service)).code.0, 0x8007_0070);
    fs::remove_file(state.join("ballast")).unwrap();
    put(&service).unwrap();
    assert_eq!(service.list(Kind::Endpoint, V2).unwrap().len(), made + 1);
    audit::check(&service, &state);
    drop(service);
    audit::check(&open(&state).unwrap(), &state);
}

#[test]
fn a_store_opens_on_a_full_disk_or_says_that_it_is_full() {
    let test = "store::a_store_opens_on_a_full_disk_or_says_that_it_is_full";
    let Some(state) = mounted::inside(test, "mount -t tmpfs -o size=1m none \"$1\"") else {
        return;
    };
    put_network(&open(&state).unwrap(), "nat", 0).unwrap();
    mounted::shell(
        "head -c 2000000 /dev/zero > \"$1\"/ballast 2>/dev/null; true",
        &state,
    );
    match open(&state).and_then(|service| service.list(Kind::Network, V2)) {
        Ok(networks) => assert_eq!(networks.len(), 1),
        Err(error) => assert_eq!(error.code.name(), Some("ERROR_DISK_FULL"), "{error}"),
    }
    let error = refusal(open(&state.join("new")).map(|_| ()));
    assert_eq!(error.code.name(), Some("ERROR_DISK_FULL"), "{error}");
    fs::remove_file(state.join("ballast")).unwrap();
    assert_eq!(
        open(&state).unwrap().list(Kind::Network, V2).unwrap().len(),
        1
    );
}
