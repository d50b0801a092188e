// SPDX-License-Identifier: MIT OR Apache-2.0
//! The second mask: `vmcompute.dll`, whose one function for HNS is `computenetwork.dll`'s.
//!
//! Apart because a library is a package. It has no code: its export list says that `HNSCall` is to be found in `computenetwork.dll`, and
//! the loader goes there, so that a process that has both libraries has one HNS (docs/adr/0005-one-library-two-names.md). Elsewhere than on Windows it is empty, and
//! `HNSCall` is in the one library that there is.
