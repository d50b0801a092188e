// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of the routes on a page.

use hcn_schema::network::Route;

use super::lay_out;
use crate::render::field_text;

/// How many routes there are, and their table.
pub(crate) fn routes<'a>(routes: impl IntoIterator<Item = &'a Route>) -> (usize, String) {
    let rows: Vec<Vec<String>> = routes
        .into_iter()
        .map(|route| {
            vec![
                field_text(&route.destination_prefix),
                field_text(&route.next_hop),
                field_text(&route.metric),
            ]
        })
        .collect();
    (
        rows.len(),
        lay_out(&["DESTINATION", "NEXT HOP", "METRIC"], rows),
    )
}
