// SPDX-License-Identifier: MIT OR Apache-2.0
//! The second mask: `vmcompute.dll`, whose functions are `computenetwork.dll`'s.
//!
//! Apart because a library is a package. It has no code: its export list says that `HNSCall` and the functions for compute systems are to be
//! found in `computenetwork.dll`, and the loader goes there, so that a process that has both libraries has one HNS
//! (docs/adr/0005-one-library-two-names.md). Elsewhere than on Windows it is empty, and they are in the one library that there is.
