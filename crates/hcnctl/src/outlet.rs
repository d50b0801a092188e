// SPDX-License-Identifier: MIT OR Apache-2.0
//! An outlet: a stream to a reader who may go away.
//!
//! Apart from the commands, because none of them may end where it was writing: the exit code is an answer, and a change that was begun has to be
//! brought to its end. Invariant: a reader who has gone is no failure of any command; what is left to say is dropped.

use std::io::{self, Write};

/// A stream to a reader who may go away.
#[derive(Debug)]
pub struct Outlet<W> {
    stream: W,
    forgives: Forgives,
    is_gone: bool,
}

/// Which failures are those of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forgives {
    /// That there is none any more: `hcnctl get endpoints | head`.
    Gone,
    /// All: where words about a failure cannot be written there is nobody to tell.
    All,
}

impl<W: Write> Outlet<W> {
    /// For data, of which no part may be missing in a file: a full disk is a failure.
    pub fn data(stream: W) -> Outlet<W> {
        Outlet::new(stream, Forgives::Gone)
    }

    /// For words about what goes on.
    pub fn words(stream: W) -> Outlet<W> {
        Outlet::new(stream, Forgives::All)
    }

    fn new(stream: W, forgives: Forgives) -> Outlet<W> {
        Outlet {
            stream,
            forgives,
            is_gone: false,
        }
    }

    /// The outcome of writing, or what stands for it where nobody reads.
    fn forgive<T>(&mut self, outcome: io::Result<T>, otherwise: T) -> io::Result<T> {
        outcome.or_else(|error| {
            let is_forgiven = match error.kind() {
                io::ErrorKind::BrokenPipe => true,
                // Whoever writes tries again.
                io::ErrorKind::Interrupted => false,
                _ => self.forgives == Forgives::All,
            };
            if !is_forgiven {
                return Err(error);
            }
            self.is_gone = true;
            Ok(otherwise)
        })
    }
}

impl<W: Write> Write for Outlet<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_gone {
            return Ok(bytes.len());
        }
        let written = self.stream.write(bytes);
        self.forgive(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_gone {
            return Ok(());
        }
        let flushed = self.stream.flush();
        self.forgive(flushed, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails always in one way.
    struct Fails(io::ErrorKind, usize);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_reader_who_has_gone_is_not_asked_again() {
        let mut outlet = Outlet::data(Fails(io::ErrorKind::BrokenPipe, 0));
        writeln!(outlet, "one").unwrap();
        writeln!(outlet, "two").unwrap();
        outlet.flush().unwrap();
        assert_eq!(outlet.stream.1, 1);
    }

    #[test]
    fn a_full_disk_is_a_failure_of_data_and_none_of_words() {
        let full = || Fails(io::ErrorKind::StorageFull, 0);
        assert!(writeln!(Outlet::data(full()), "one").is_err());
        assert!(Outlet::data(full()).flush().is_err());
        writeln!(Outlet::words(full()), "one").unwrap();
        Outlet::words(full()).flush().unwrap();
    }
}
