// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that a switch is made from, as an HNS or a listing has it.
//!
//! Apart from the commands, several of which ask for it. Invariant: what an HNS could not answer is a failure and never an empty answer, so that no
//! verdict rests on what was not read; an HNS without load balancers has none.

use std::io::Write;

use hcn::{
    HcnCode, HnsError, Kind,
    schema::{Document, LoadBalancer, Query},
    service::dump,
};
use hcn_engine::Documents;
use serde_json::Value;

use crate::{
    desk::Desk,
    failure::Failure,
    listing::{self, Listed},
    render::shown,
};

/// All networks, endpoints and load balancers, by the seam.
///
/// # Errors
/// Where the HNS does not answer, or answers with what is no document.
pub(crate) fn of_hns(desk: &Desk<'_>) -> Result<Documents, Failure> {
    let networks = desk.client().networks(&Query::v2());
    let endpoints = desk.client().endpoints(&Query::v2());
    Ok(Documents {
        networks: networks.map_err(Failure::hns("list the networks"))?,
        endpoints: endpoints.map_err(Failure::hns("list the endpoints"))?,
        load_balancers: load_balancers(desk)?,
    })
}

/// All load balancers; none where the HNS has no such objects.
///
/// # Errors
/// As [`of_hns`].
pub(crate) fn load_balancers(desk: &Desk<'_>) -> Result<Vec<LoadBalancer>, Failure> {
    const WHAT: &str = "list the load balancers";
    let texts = match desk
        .client()
        .hns()
        .list(Kind::LoadBalancer, &Query::v2().text())
    {
        Ok(texts) => texts,
        Err(error) if error.code == HcnCode::E_NOTIMPL => return Ok(Vec::new()),
        Err(error) => return Err(Failure::hns(WHAT)(error)),
    };
    let read = |text: &String| LoadBalancer::from_json(text).map_err(no_document(WHAT));
    texts.iter().map(read).collect()
}

/// An answer of the HNS is no document.
pub(crate) fn no_document(what: &'static str) -> impl Fn(serde_json::Error) -> Failure {
    move |error| {
        Failure::hns(what)(HnsError::because(
            HcnCode::HCN_E_INVALID_JSON,
            format!("HNS answered with no document: {error}"),
        ))
    }
}

/// What a listing tells; what it does not is said.
///
/// # Errors
/// Where nothing can be said.
pub(crate) fn of_listing(
    listing: &[Listed],
    text: &str,
    words: &mut dyn Write,
) -> Result<Documents, Failure> {
    let mut documents = Documents::default();
    let mut unknown = 0;
    for listed in listing {
        let Some(members) = listed.value.as_object() else {
            continue;
        };
        match listed.kind {
            listing::Kind::Endpoint => documents.endpoints.push(dump::endpoint(members)),
            listing::Kind::Network => documents.networks.push(dump::network(members)),
            listing::Kind::LoadBalancer => match dump::load_balancer(members) {
                Ok(balancer) => documents.load_balancers.extend(balancer),
                Err(error) => {
                    let name = listed.name().unwrap_or(&listed.identity);
                    writeln!(
                        words,
                        "note: {text}: load balancer {} is left out: {}",
                        shown(name),
                        shown(&error.to_string())
                    )?;
                }
            },
            listing::Kind::Namespace => continue,
            listing::Kind::Unknown => {
                unknown += 1;
                continue;
            }
        }
        if listing::member(&listed.value, "Policies").is_some_and(is_cut) {
            let name = listed.name().unwrap_or(&listed.identity);
            writeln!(
                words,
                "note: {text}: PowerShell cut the policies of {}, so what it reaches is not known; keep listings as JSON",
                shown(name)
            )?;
        }
    }
    if unknown > 0 {
        writeln!(
            words,
            "note: {text}: {unknown} objects are neither networks nor endpoints and are left out"
        )?;
    }
    if documents.endpoints.is_empty() {
        writeln!(words, "note: {text}: there is no endpoint in it")?;
    }
    Ok(documents)
}

/// Whether PowerShell left out part of a list.
fn is_cut(policies: &Value) -> bool {
    let items = policies.as_array().map_or(&[][..], Vec::as_slice);
    listing::is_hidden(policies) || items.iter().any(|item| item.as_str() == Some(listing::CUT))
}
