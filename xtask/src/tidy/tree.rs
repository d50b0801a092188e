// SPDX-License-Identifier: MIT OR Apache-2.0
//! The texts of the repository by path.
//!
//! Apart so that checks need no file system. Paths are relative to the top and use `/`.

use std::{collections::BTreeMap, fs, path::Path};

/// Paths that hold nothing of ours: what is built, and what git keeps, which is a file in a second working tree.
const LEFT_OUT: &[&str] = &["target", ".git"];

/// Every file of the repository; the text is empty for one that is not UTF-8.
#[derive(Debug, Default)]
pub struct Tree {
    texts: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the repository.
    pub fn read(repository: &Path) -> Result<Self, String> {
        let mut tree = Tree::default();
        tree.add_folder(repository, "")?;
        Ok(tree)
    }

    /// A tree of these paths and texts.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        Tree {
            texts: files
                .iter()
                .map(|(path, text)| (path.to_string(), text.to_string()))
                .collect(),
        }
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), String> {
        let entries =
            fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
            let path = entry.path();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if LEFT_OUT.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                self.add_folder(&path, &format!("{name}/"))?;
            } else if let Ok(bytes) = fs::read(&path) {
                // A file that vanished between listing and reading belongs to a program that is running.
                self.texts
                    .insert(name, String::from_utf8(bytes).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Every path with its text.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every path.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Whether a file or a folder has this path; the empty path is the top.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty()
            || self.texts.contains_key(path)
            || self.paths().any(|own| {
                own.strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with('/'))
            })
    }

    /// Folders of the crates, e.g. `crates/hcn-schema`.
    pub fn crates(&self) -> impl Iterator<Item = &str> {
        self.paths()
            .filter_map(|path| path.strip_suffix("/Cargo.toml"))
    }
}

/// Number, from 1, of the first line that holds `needle`; 1 where none does.
pub fn line_of(text: &str, needle: impl Fn(&str) -> bool) -> usize {
    text.lines().position(needle).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_found_by_the_files_in_them() {
        let tree = Tree::of(&[("crates/hcn/Cargo.toml", ""), ("README.md", "")]);
        assert!(tree.has("crates") && tree.has("crates/hcn/") && tree.has("README.md"));
        assert!(!tree.has("crate") && !tree.has("crates/hc"));
        assert_eq!(tree.crates().collect::<Vec<_>>(), ["crates/hcn"]);
    }
}
