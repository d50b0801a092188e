// SPDX-License-Identifier: MIT OR Apache-2.0
//! One exam for every implementation of the seam: what a client of HNS can observe, case by case, each with its source.
//!
//! A library, because our tests sit the exam with every implementation that we have, and `hcnctl conformance` lets any other HNS sit it.
//! Invariants: a case makes what it needs, in networks of its own, and takes it away again however it ends; no case depends on another.
//!
//! | module | noun |
//! |---|---|
//! | [`case`] | a case, its source, how sure we are, and which versions it is of |
//! | [`finding`] | what a case finds |
//! | [`scene`] | what a case makes and asks |
//! | [`ground`] | where an exam takes place |
//! | [`cases`] | the cases, by section of docs/hns-behaviour.md |
//! | [`exam`] | sitting it, and sweeping up after one that was killed |
//! | [`report`] | what came of them |

pub mod case;
pub mod cases;
pub mod exam;
pub mod finding;
pub mod ground;
pub mod report;
pub mod scene;

pub use case::{Case, Confidence};
pub use exam::{Options, Progress, chosen, sit, sweep};
pub use finding::{Amiss, Difference, Finding};
pub use ground::Block;
pub use report::{Circumstances, Outcome, Report};
pub use scene::Scene;
