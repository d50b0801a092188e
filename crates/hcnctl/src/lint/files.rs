// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files that were examined, and where in them the objects stand.
//!
//! Apart from the subject, which may as well be the open HNS, and has no files then. Invariant: a file that cannot be named (standard input) is told by
//! nothing.

use std::path::Path;

use super::{
    finding::ObjectName,
    lines::{Lines, Place},
    subject::Subject,
};

/// The files, in the order of their objects.
#[derive(Default)]
pub struct Files {
    all: Vec<File>,
}

struct File {
    /// As it was named, and as a URI; none of standard input.
    name: Option<(String, String)>,
    lines: Option<Lines>,
    /// How many objects are in it.
    objects: usize,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFile<'a> {
    /// The file as it was named.
    pub file: &'a str,
    /// The same as a URI.
    pub uri: &'a str,
    /// Where in it, where the text tells that.
    pub place: Option<Place>,
}

impl Files {
    /// Adds a file of so many objects; without a path it is standard input.
    pub fn add(&mut self, path: Option<&Path>, text: String, objects: usize) {
        self.all.push(File {
            name: path.map(|path| (path.display().to_string(), uri(path))),
            lines: Lines::of(text, objects),
            objects,
        });
    }

    /// Where the place is that a pointer into an object's document names.
    pub fn find(
        &self,
        subject: &Subject,
        object: &ObjectName,
        pointer: &str,
    ) -> Option<InFile<'_>> {
        let mut place = subject.listed_at(object)?;
        for file in &self.all {
            if let Some(rest) = place.checked_sub(file.objects) {
                place = rest;
                continue;
            }
            let (name, uri) = file.name.as_ref()?;
            let lines = file.lines.as_ref();
            return Some(InFile {
                file: name,
                uri,
                place: lines.and_then(|lines| lines.place(place, pointer)),
            });
        }
        None
    }
}

/// A file as SARIF names it (RFC 3986): relative where it lies below the working folder, which is where code hosts look for it.
fn uri(file: &Path) -> String {
    let below = std::env::current_dir()
        .ok()
        .and_then(|here| file.strip_prefix(here).ok().map(Path::to_path_buf));
    let path = below.unwrap_or_else(|| file.to_path_buf());
    let bytes = path.as_os_str().as_encoded_bytes();
    let slashes = |byte: &u8| match byte {
        b'\\' if cfg!(windows) => b'/',
        other => *other,
    };
    let bytes: Vec<u8> = bytes.iter().map(slashes).collect();
    match path.is_absolute() {
        true => {
            // A drive has its colon.
            let text = escaped(&bytes, b"/:");
            format!("file:///{}", text.trim_start_matches('/'))
        }
        // Before the first slash a colon would end a scheme.
        false => escaped(&bytes, b"/").trim_start_matches("./").to_owned(),
    }
}

/// Bytes with those escaped that a URI's path cannot have, but for some.
fn escaped(bytes: &[u8], but: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || but.contains(byte);
        match is_plain {
            true => text.push(char::from(*byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_file_is_named_relative_to_the_working_folder_or_as_a_uri() {
        let here = std::env::current_dir().unwrap();
        let all = [
            (PathBuf::from("dumps/node.json"), "dumps/node.json"),
            (PathBuf::from("./node.json"), "node.json"),
            (here.join("dumps/node.json"), "dumps/node.json"),
            (PathBuf::from("../node.json"), "../node.json"),
            // RFC 3986, 2.1 and 4.2.
            (PathBuf::from("a b%é.json"), "a%20b%25%C3%A9.json"),
            (PathBuf::from("a#b?c:[d].json"), "a%23b%3Fc%3A%5Bd%5D.json"),
        ];
        for (file, wanted) in all {
            assert_eq!(uri(&file), wanted);
        }
        let elsewhere = here.parent().unwrap().join("node.json");
        assert!(
            uri(&elsewhere).starts_with("file:///"),
            "{}",
            uri(&elsewhere)
        );
    }
}
