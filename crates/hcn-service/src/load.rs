// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything the store holds, as the engine compiles it.

use hcn_api::{Answer, Kind};
use hcn_engine::Documents;

use crate::{
    endpoint::EndpointRecord,
    load_balancer::LoadBalancerRecord,
    network::NetworkRecord,
    store::{Record, View},
};

/// All documents that a switch is made from.
pub(crate) fn documents(view: &View<'_>) -> Answer<Documents> {
    fn all<T: Record>(view: &View<'_>, kind: Kind) -> Answer<Vec<T::Document>> {
        view.rows(kind, None, None)?
            .iter()
            .map(|row| row.record::<T>().map(|record| record.document().clone()))
            .collect()
    }
    Ok(Documents {
        networks: all::<NetworkRecord>(view, Kind::Network)?,
        endpoints: all::<EndpointRecord>(view, Kind::Endpoint)?,
        load_balancers: all::<LoadBalancerRecord>(view, Kind::LoadBalancer)?,
    })
}
