// SPDX-License-Identifier: MIT OR Apache-2.0
//! The store: one SQLite file that many processes use at once, durable before anything is answered.
//!
//! Everything the service knows is in here. Unique keys guard addresses, MAC addresses and published ports, so that no two processes can
//! hand out one of them twice. Every change leaves a row in the operation log.

mod container;
mod event;
mod failure;
mod holder;
mod object;
mod operation;
mod port;
mod reservation;

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use hcn_api::{Answer, HcnCode, HnsError, HnsVersion};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior,
};

pub(crate) use failure::failed;
pub(crate) use holder::Holder;
pub(crate) use object::{Record, Row};
pub(crate) use operation::Entry;
pub use operation::{Moment, Operation, Verb};
pub(crate) use port::{Frontend, Reserved};
pub(crate) use reservation::Count;

/// Layout of the file; a store with a higher number is refused.
const LAYOUT: i64 = 3;
/// "hcns", so that `file` and SQLite tools can tell whose database it is.
const APPLICATION: i64 = 0x6863_6e73;
/// Name of the file in the state directory.
pub const FILE: &str = "hns.sqlite3";
/// How long a call waits for other processes. HNS serialises calls too, and its clients live with minutes (hns-behaviour 6.3).
const PATIENCE: Duration = Duration::from_secs(120);

/// So much of the file is mapped into memory at most; what lies beyond is read as ever.
const MAPPED: i64 = 1 << 28;

const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    network BLOB,
    document TEXT NOT NULL,
    internal TEXT NOT NULL
);
CREATE UNIQUE INDEX object_id ON object (kind, id);
CREATE INDEX object_name ON object (kind, name);
CREATE INDEX object_network ON object (network) WHERE network IS NOT NULL;
CREATE TABLE address (
    network BLOB NOT NULL, address BLOB NOT NULL, endpoint BLOB NOT NULL, PRIMARY KEY (network, address)
) WITHOUT ROWID;
CREATE TABLE mac_address (
    network BLOB NOT NULL, address INTEGER NOT NULL, endpoint BLOB NOT NULL, PRIMARY KEY (network, address)
) WITHOUT ROWID;
CREATE TABLE host_port (
    protocol INTEGER NOT NULL, port INTEGER NOT NULL, endpoint BLOB NOT NULL, PRIMARY KEY (protocol, port)
) WITHOUT ROWID;
CREATE TABLE network_count (
    network BLOB PRIMARY KEY, now INTEGER NOT NULL, most INTEGER NOT NULL, ever INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE container (
    name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, endpoint BLOB NOT NULL, namespace BLOB, listeners TEXT NOT NULL, created INTEGER NOT NULL,
    adopted INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE frontend (
    address TEXT NOT NULL, protocol INTEGER NOT NULL, port INTEGER NOT NULL, load_balancer BLOB NOT NULL, PRIMARY KEY (address, protocol, port)
) WITHOUT ROWID;
CREATE INDEX frontend_load_balancer ON frontend (load_balancer);
CREATE TABLE port_reservation (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    holder INTEGER NOT NULL,
    service BLOB NOT NULL,
    protocol INTEGER NOT NULL,
    access INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
);
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    teller INTEGER NOT NULL,
    notification INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    data TEXT NOT NULL
);
CREATE TABLE operation (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    actor TEXT NOT NULL,
    verb TEXT NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    request TEXT NOT NULL,
    document TEXT
);
CREATE INDEX operation_object ON operation (kind, id);
";

/// What a new store is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fresh {
    /// Version of HNS that it impersonates from then on.
    pub version: HnsVersion,
    /// Start of the pseudo-random choices of addresses.
    pub seed: u64,
}

/// An open store.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    directory: PathBuf,
    path: PathBuf,
    writable: bool,
    /// Version of HNS that the store was made for.
    pub version: HnsVersion,
    /// Start of the pseudo-random choices of addresses.
    pub seed: u64,
}

impl Store {
    /// Opens the store of a state directory, and makes both where they are missing.
    ///
    /// # Errors
    /// `ERROR_WRONG_DISK` for a store of a newer version or another program; else what the file system says.
    pub fn open(directory: &Path, fresh: Fresh) -> Answer<Store> {
        if let Err(error) = std::fs::create_dir_all(directory) {
            return Err(failure::cannot_use(directory, &error));
        }
        let path = directory.join(FILE);
        let (connection, writable) = connect(&path)?;
        let mut store = Store {
            connection,
            directory: directory.to_owned(),
            path,
            writable,
            version: fresh.version,
            seed: fresh.seed,
        };
        store.settle(fresh)?;
        Ok(store)
    }

    /// Checks the layout, makes the tables in a new file, and reads what the store was made with.
    fn settle(&mut self, fresh: Fresh) -> Answer<()> {
        let path = self.path.clone();
        let layout = self.layout()?;
        if layout == 0 && self.writable {
            self.keep_log()
                .map_err(|error| failure::at(&path, &error))?;
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(|error| failure::at(&path, &error))?;
            // Another process may have been faster between the look and the lock.
            let layout: i64 = transaction
                .query_row("PRAGMA user_version", [], |row| row.get(0))
                .map_err(|error| failure::at(&path, &error))?;
            if layout == 0 {
                transaction
                    .execute_batch(TABLES)
                    .and_then(|()| {
                        transaction.pragma_update(None, "application_id", APPLICATION)?;
                        transaction.pragma_update(None, "user_version", LAYOUT)?;
                        let mut insert = transaction.prepare("INSERT INTO meta VALUES (?1, ?2)")?;
                        insert.execute(["version", &fresh.version.to_string()])?;
                        insert.execute(["seed", &fresh.seed.to_string()])?;
                        Ok(())
                    })
                    .map_err(|error| failure::at(&path, &error))?;
            }
            transaction
                .commit()
                .map_err(|error| failure::at(&path, &error))?;
        }
        let layout = self.layout()?;
        if layout != LAYOUT {
            return Err(HnsError::because(
                HcnCode::ERROR_WRONG_DISK,
                format!(
                    "the store {} has layout {layout}, and this program knows layout {LAYOUT}; {} made it",
                    path.display(),
                    if layout > LAYOUT {
                        "a newer one"
                    } else {
                        "an older one, before the first release,"
                    }
                ),
            ));
        }
        self.version = self
            .meta("version")?
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| {
                failure::damaged(&path, "it does not say which version of HNS it is for")
            })?;
        self.seed = self
            .meta("seed")?
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| failure::damaged(&path, "it has no seed"))?;
        Ok(())
    }

    /// Switches a new file to a write-ahead log, by which readers and a writer do not wait for each other.
    fn keep_log(&self) -> rusqlite::Result<()> {
        let start = Instant::now();
        loop {
            match self.connection.pragma_update(None, "journal_mode", "WAL") {
                // SQLite does not wait here by itself, since two who both wait to switch would wait for ever.
                Err(error)
                    if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                        && start.elapsed() < PATIENCE =>
                {
                    thread::sleep(Duration::from_millis(2));
                }
                other => return other,
            }
        }
    }

    fn layout(&self) -> Answer<i64> {
        let failed = |error| failure::at(&self.path, &error);
        // All three as of one moment, or a store that another process has just made looks like a stranger's.
        let moment = self.connection.unchecked_transaction().map_err(failed)?;
        let read = |pragma: &str| moment.query_row(pragma, [], |row| row.get::<_, i64>(0));
        let layout = read("PRAGMA user_version").map_err(failed)?;
        let application = read("PRAGMA application_id").map_err(failed)?;
        let tables = read("SELECT count(*) FROM sqlite_master").map_err(failed)?;
        if application != APPLICATION && (layout != 0 || tables != 0) {
            return Err(HnsError::because(
                HcnCode::ERROR_WRONG_DISK,
                format!("{} is a database of another program", self.path.display()),
            ));
        }
        Ok(layout)
    }

    fn meta(&self, key: &str) -> Answer<Option<String>> {
        self.connection
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| failure::at(&self.path, &error))
    }

    /// Starts to change: other writers wait from here to the end.
    ///
    /// # Errors
    /// `ERROR_WRITE_PROTECT` on a read-only store, `ERROR_SHARING_VIOLATION` where others would not let go.
    pub fn write(&mut self) -> Answer<View<'_>> {
        if !self.writable {
            return Err(failure::write_protected(&self.path));
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| failure::at(&self.path, &error))?;
        Ok(View {
            transaction,
            directory: &self.directory,
        })
    }

    /// Starts to read: what is seen does not change until the end.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read(&mut self) -> Answer<View<'_>> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(|error| failure::at(&self.path, &error))?;
        Ok(View {
            transaction,
            directory: &self.directory,
        })
    }

    /// Asks SQLite for every fault it can find in the file.
    ///
    /// # Errors
    /// `ERROR_FILE_CORRUPT` with the first fault.
    pub fn check(&self) -> Answer<()> {
        let verdict: String = self
            .connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .map_err(|error| failure::at(&self.path, &error))?;
        if verdict == "ok" {
            Ok(())
        } else {
            Err(failure::damaged(&self.path, &verdict))
        }
    }
}

/// The store as one transaction sees it; dropped without [`View::commit`], nothing happened.
pub(crate) struct View<'a> {
    transaction: Transaction<'a>,
    directory: &'a Path,
}

impl View<'_> {
    /// Makes everything that was written durable.
    ///
    /// # Errors
    /// What the file system says; nothing happened then.
    pub fn commit(self) -> Answer<()> {
        self.transaction.commit().map_err(failed)
    }
}

/// Opens the file for reading and writing, or for reading only where it cannot be written.
fn connect(path: &Path) -> Answer<(Connection, bool)> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let write = Connection::open_with_flags(
        path,
        flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )
    .and_then(|connection| {
        configure(&connection)?;
        // The first look at the file tells whether the directory lets SQLite work in it.
        connection.query_row("PRAGMA user_version", [], |_| Ok(()))?;
        Ok(connection)
    });
    let error = match write {
        Ok(connection) => {
            let writable = !connection
                .is_readonly("main")
                .map_err(|error| failure::at(path, &error))?;
            return Ok((connection, writable));
        }
        Err(error) => error,
    };
    if !path.is_file() || !failure::is_about_access(&error) {
        return Err(failure::at(path, &error));
    }
    // A file on a read-only medium: SQLite may not make its lock files beside it, and nobody else can write either. It would pass over the log
    // then, and with it over what was answered last.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(failure::log_unread(path));
    }
    let address = format!("file:{}?immutable=1", escaped(path));
    let connection = Connection::open_with_flags(address, flags | OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| failure::at(path, &error))?;
    Ok((connection, false))
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    // FULL: an answer is given only after the log is on the disk (invariant 7).
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Documents are long, and a command that lists them reads most of the file: mapped, it is not copied page by page.
    connection.pragma_update(None, "mmap_size", MAPPED)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// A path as part of a `file:` address.
fn escaped(path: &Path) -> String {
    path.to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}
