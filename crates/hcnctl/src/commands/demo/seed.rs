// SPDX-License-Identifier: MIT OR Apache-2.0
//! The walk-through's own ids, addresses and MAC addresses (JungukCho/windows-hcsshim, README at 1d2fb43).
//!
//! Its containers were docker's, so their endpoints have no namespace and come by the v1 API.

use std::fs;

use hcn::Kind;

use super::{Line, Scene as Telling, Story};
use crate::failure::Failure;

/// The walk-through's scene.
pub struct Scene;

/// Its network and its endpoints.
pub const IDS: [(Kind, &str); 3] = [
    (Kind::Network, "625d8985-3f12-469e-a98d-2baac83dee45"),
    (Kind::Endpoint, "edffc876-3051-46ec-80b3-820dda20aa14"),
    (Kind::Endpoint, "c047102f-2bb1-4f64-8f30-9ede02f464f1"),
];

/// The network as docker makes it; the ids are those of the listing.
const NETWORK: &str = r#"{
  "ID": "625d8985-3f12-469e-a98d-2baac83dee45", "Name": "nat", "Type": "nat",
  "DNSSuffix": "uuz1fvwpe0zejibongrs2s5cjg.bx.internal.cloudapp.net", "DNSServerList": "168.63.129.16",
  "Subnets": [{"AddressPrefix": "172.19.0.0/20", "GatewayAddress": "172.19.0.1",
    "IpSubnets": [{"ID": "35f30e75-364d-4e6d-a459-4ccdce1077e7", "IpAddressPrefix": "172.19.0.0/20", "Flags": 3}]}]
}"#;

const NGINX: &str = "hcnctl run --name nginx --listen 80/tcp --attach docker --endpoint-name Ethernet \
--endpoint-id edffc876-3051-46ec-80b3-820dda20aa14 --address 172.19.6.74 --mac 00-15-5D-90-AD-7C \
--container-id 49c836b9725e69736157468f33b2a41b0753609c5d49565b46fb37505a5a3b9f";

const CLIENT: &str = "hcnctl run --name client --attach docker --endpoint-name Ethernet \
--endpoint-id c047102f-2bb1-4f64-8f30-9ede02f464f1 --address 172.19.3.166 --mac 00-15-5D-90-AD-B2 \
--container-id 49e8cbcc30485056cc3e95a6d39f432a8ec2dda522efaaabb2f8dd513b7a5f9c";

impl Telling for Scene {
    fn set(&self, story: &mut Story<'_>) -> Result<(), Failure> {
        story.chapter(
            "docker's nat network and two containers on it, with the ids of the walk-through.",
        )?;
        let path = story.stage.folder()?.join("network.json");
        fs::write(&path, NETWORK).map_err(|error| Failure::File {
            path: path.display().to_string(),
            error,
        })?;
        story.make_network(&Line {
            real: format!("hcnctl create -f '{}'", path.display()),
            shown: format!("hcnctl create -f - <<'END'\n{NETWORK}\nEND"),
            into: None,
        })?;
        story.make_container("nginx", NGINX)?;
        story.make_container("client", CLIENT)
    }
}
