// SPDX-License-Identifier: MIT OR Apache-2.0
//! What agents write on purpose, though a person who wrote it would be mistaken.
//!
//! Apart from the checks, which know no agents. A finding is never taken away here, only made a lesser one, and only for what an agent signs with an id
//! of its own.

use super::{Finding, Severity, rules::Ruled};

/// The rule with which Calico's CNI plugin closes a new endpoint until its agent writes the policies (hns-behaviour 4.15).
const CALICO_CLOSED: &str = "CNIDefaultDenyAllPolicy";

/// Makes a warning of a lone Block by which an agent closes an endpoint: if it stays, the agent never came.
pub(super) fn soften(endpoint: &Ruled<'_>, found: &mut [Finding]) {
    let is_calicos = endpoint.rules.iter().all(|own| {
        let id = endpoint.value.pointer(&own.member("Id"));
        id.and_then(serde_json::Value::as_str) == Some(CALICO_CLOSED)
    });
    let lone = found
        .iter_mut()
        .filter(|finding| finding.check.name == "lone-block");
    for finding in lone.filter(|_| is_calicos) {
        finding.severity = Severity::Warning;
        finding.message.push_str(
            "; Calico's plugin closes an endpoint so until its agent has written the policies",
        );
    }
}
