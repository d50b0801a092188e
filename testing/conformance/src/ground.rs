// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where an exam takes place: addresses that nobody else on the host uses, and what may be done to the host.
//!
//! Apart because only a real host makes it necessary. The cases write their addresses as literals; where another network has those, an exam
//! takes place elsewhere, and texts are translated on the way there and back.

use std::net::Ipv4Addr;

use hcn_api::{
    Answer, Event, HcnCode, Hns, HnsError, Kind, Listener, ObjectId, PortAccess, PortProtocol,
    PortRange, PortRangeEntry, PortReservation, Subscription,
};
use hcn_schema::Guid;
use serde_json::Value;

use crate::scene::V2;

/// Two /24 networks that follow each other: the first two numbers of their addresses, and the third of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block([u8; 3]);

/// Where an exam takes place unless others are there: what the cases write. Private networks that routers and container engines do not
/// come with.
const CANDIDATES: [Block; 5] = [
    Block([192, 168, 100]),
    Block([10, 213, 100]),
    Block([172, 29, 212]),
    Block([10, 77, 164]),
    Block([192, 168, 212]),
];

impl Block {
    /// What the cases write.
    pub const WRITTEN: Block = CANDIDATES[0];

    /// The text before the last number of an address in the first or the second network.
    fn stem(self, which: u8) -> String {
        let [a, b, c] = self.0;
        format!("{a}.{b}.{}.", c + which)
    }

    /// Whether an address is in it.
    fn holds(self, address: Ipv4Addr) -> bool {
        let [a, b, c] = self.0;
        let own = address.octets();
        own[..2] == [a, b] && (own[2] == c || own[2] == c + 1)
    }

    /// As `192.168.100.0/23`.
    pub fn prefix(self) -> String {
        format!("{}0/23", self.stem(0))
    }

    fn first(self) -> u32 {
        let [a, b, c] = self.0;
        u32::from(Ipv4Addr::new(a, b, c, 0))
    }

    /// Whether it has an address in common with a prefix.
    fn meets(self, prefix: &str) -> bool {
        let Some((address, length)) = prefix.split_once('/') else {
            return false;
        };
        let (Ok(address), Ok(length)) = (address.parse::<Ipv4Addr>(), length.parse::<u32>()) else {
            return false;
        };
        // 0.0.0.0/0 is how docker's network asks for any; it is nobody's prefix.
        let shift = 32_u32.saturating_sub(length.min(23));
        length != 0 && (u32::from(address) >> shift) == (self.first() >> shift)
    }

    /// The first candidate that no network of the HNS has and no given address is in.
    ///
    /// # Errors
    /// Where the networks cannot be listed, or all candidates are taken.
    pub fn free(hns: &dyn Hns, own: Option<Ipv4Addr>) -> Answer<Block> {
        let mut prefixes = Vec::new();
        for text in hns.list(Kind::Network, V2)? {
            let network: Value = serde_json::from_str(&text).unwrap_or_default();
            for ipam in network["Ipams"].as_array().into_iter().flatten() {
                for subnet in ipam["Subnets"].as_array().into_iter().flatten() {
                    prefixes.extend(subnet["IpAddressPrefix"].as_str().map(str::to_owned));
                }
            }
        }
        let is_free = |block: &&Block| {
            !prefixes.iter().any(|prefix| block.meets(prefix))
                && !own.is_some_and(|own| block.holds(own))
        };
        CANDIDATES.iter().find(is_free).copied().ok_or_else(|| {
            let all: Vec<String> = CANDIDATES.into_iter().map(Block::prefix).collect();
            HnsError::because(
                HcnCode::ERROR_NO_MORE_ITEMS,
                format!(
                    "each block of addresses that an exam may take has a network or the host in it; free one of {}",
                    all.join(", ")
                ),
            )
        })
    }
}

/// An HNS whose addresses in the block are those that the cases write.
pub(crate) struct Moved<'a> {
    hns: &'a dyn Hns,
    block: Block,
}

impl<'a> Moved<'a> {
    pub fn new(hns: &'a dyn Hns, block: Block) -> Self {
        Moved { hns, block }
    }

    fn there(&self, text: &str) -> String {
        translated(text, Block::WRITTEN, self.block)
    }

    fn back(&self, text: &str) -> String {
        translated(text, self.block, Block::WRITTEN)
    }
}

fn translated(text: &str, from: Block, to: Block) -> String {
    text.replace(&from.stem(0), &to.stem(0))
        .replace(&from.stem(1), &to.stem(1))
}

impl Hns for Moved<'_> {
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String> {
        self.hns.enumerate(kind, &self.there(query))
    }
    fn create(&self, kind: Kind, network: Option<Guid>, id: Guid, settings: &str) -> Answer<Guid> {
        self.hns.create(kind, network, id, &self.there(settings))
    }
    fn open(&self, object: ObjectId) -> Answer<()> {
        self.hns.open(object)
    }
    fn identity(&self, object: ObjectId) -> Answer<u64> {
        self.hns.identity(object)
    }
    fn query(&self, object: ObjectId, query: &str) -> Answer<String> {
        let text = self.hns.query(object, &self.there(query))?;
        Ok(self.back(&text))
    }
    fn modify(&self, object: ObjectId, settings: &str) -> Answer<()> {
        self.hns.modify(object, &self.there(settings))
    }
    fn delete(&self, object: ObjectId) -> Answer<()> {
        self.hns.delete(object)
    }
    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        let text = self.hns.call(method, path, &self.there(request))?;
        Ok(self.back(&text))
    }
    fn endpoint_stats(&self, endpoint: Guid, query: &str) -> Answer<String> {
        self.hns.endpoint_stats(endpoint, query)
    }
    fn endpoint_addresses(&self, endpoint: Guid, query: &str) -> Answer<String> {
        let text = self.hns.endpoint_addresses(endpoint, query)?;
        Ok(self.back(&text))
    }
    fn reserve_port(
        &self,
        guest_network_service: Guid,
        protocol: PortProtocol,
        access: PortAccess,
        port: u16,
    ) -> Answer<PortReservation> {
        self.hns
            .reserve_port(guest_network_service, protocol, access, port)
    }
    fn reserve_port_range(
        &self,
        guest_network_service: Guid,
        count: u16,
    ) -> Answer<(PortReservation, PortRange)> {
        self.hns.reserve_port_range(guest_network_service, count)
    }
    fn release_ports(&self, reservation: PortReservation) -> Answer<()> {
        self.hns.release_ports(reservation)
    }
    fn port_reservations(&self) -> Answer<Vec<PortRangeEntry>> {
        self.hns.port_reservations()
    }
    fn subscribe(&self, listener: Listener) -> Answer<Subscription> {
        let block = self.block;
        self.hns
            .subscribe(std::sync::Arc::new(move |event: &Event| {
                let data = translated(&event.data, block, Block::WRITTEN);
                listener(&Event {
                    data,
                    ..event.clone()
                });
            }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_meets_prefixes_around_it_in_it_and_across_it() {
        for prefix in [
            "192.168.0.0/16",
            "192.168.100.0/24",
            "192.168.101.128/25",
            "192.168.96.0/20",
        ] {
            assert!(Block::WRITTEN.meets(prefix), "{prefix}");
        }
        for prefix in [
            "192.168.102.0/24",
            "10.0.0.0/8",
            "0.0.0.0/0",
            "fd00::/64",
            "no",
        ] {
            assert!(!Block::WRITTEN.meets(prefix), "{prefix}");
        }
    }

    #[test]
    fn texts_come_back_as_they_were() {
        let text =
            r#"{"a":"192.168.100.7","b":"192.168.101.0/24","c":"192.168.10.1","d":"10.0.0.1"}"#;
        let there = translated(text, Block::WRITTEN, CANDIDATES[1]);
        assert_eq!(
            there,
            r#"{"a":"10.213.100.7","b":"10.213.101.0/24","c":"192.168.10.1","d":"10.0.0.1"}"#
        );
        assert_eq!(translated(&there, CANDIDATES[1], Block::WRITTEN), text);
    }
}
