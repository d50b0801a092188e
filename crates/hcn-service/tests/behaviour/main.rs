// SPDX-License-Identifier: MIT OR Apache-2.0
//! What HNS does, section by section of hns-behaviour: the embedded one does it too.
//!
//! Apart from the refusals because here requests succeed. Expectations are the record's: listings, what clients need, the API's own documents.

mod attachments;
mod endpoints;
mod events;
mod networks;
mod policies;
mod queries;
mod record;
#[path = "../scene/mod.rs"]
mod scene;
mod strangers;
mod versions;
mod walkthrough;
