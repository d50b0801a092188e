// SPDX-License-Identifier: MIT OR Apache-2.0
//! One exam for every implementation of the seam: what a client of HNS can observe, case by case, each with its source.
//!
//! A library, because our tests sit the exam with every implementation that we have, and `hcnctl conformance` lets any other HNS sit it.
//! Invariants: a case makes what it needs, in networks of its own, and takes it away again however it ends; no case depends on another.
//!
//! | module | noun |
//! |---|---|
//! | [`case`] | a case, its source, and how sure we are |
//! | [`scene`] | what a case makes and asks |
//! | [`cases`] | the cases, by section of docs/hns-behaviour.md |
//! | [`report`] | what came of them |

pub mod case;
pub mod cases;
pub mod report;
pub mod scene;

pub use case::{Case, Confidence, Finding};
pub use report::{Outcome, Report, sit, sweep};
pub use scene::Scene;
