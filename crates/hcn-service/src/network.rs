// SPDX-License-Identifier: MIT OR Apache-2.0
//! Networks: what is admitted, what HNS fills in, what goes with them.
//!
//! Source: hns-behaviour 2.3, 2.11, 3.3, 5.1 and 6.4.

mod modify;
mod policies;

use std::collections::BTreeSet;

use hcn_api::{Answer, HcnCode, HnsError, Kind, Notification, ObjectId};
use hcn_schema::{
    Field, Guid, Id, MacAddress, Network, Policy,
    document::SchemaVersion,
    network::{
        IpSubnet, IpSubnetFlags, Ipam, IpamType, MacPool, MacRange, NetworkType, Route, Subnet,
    },
    policy::{SubnetPolicy, endpoint::ProviderAddress, network::DrMacAddress},
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    address,
    change::Change,
    document::{chosen_id, is_v2, object, refuse_long_name, refuse_odd},
    endpoint, load_balancer,
    policy_number::{NETWORK as NUMBERS, in_words},
    sdn_route::SdnRouteRecord,
    sources::mix,
    store::Record,
    v1,
};

pub(crate) use modify::{modify, request_type, unsupported};
pub(crate) use policies::{gather_settings, refuse_without_feature, set_ids};

/// Address of the simulated host on external networks; the record has no value that an emulator should take, so this is the one of the
/// recorded flannel set-up (clients, 1.5).
const MANAGEMENT_ADDRESS: &str = "10.0.0.4";

/// What the service knows of a network beside its document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct NetworkInternal {
    /// Id of the allocation tree (v1 `Resources.ID`).
    pub activity: u128,
    /// Root of the allocation tree.
    pub parent: u128,
    /// The layer that the switch is built on.
    pub layered_on: u128,
    /// The switch.
    pub switch: u128,
    /// Interface of the host on the switch.
    pub interface: u128,
    /// When it was made, as FILETIME.
    pub made: u64,
    /// The type as the client wrote it, which v1 answers echo.
    pub type_text: Option<String>,
    /// Members of a v1 document that have no place in v2.
    pub v1: serde_json::Map<String, Value>,
}

/// A network.
#[derive(Clone, Debug)]
pub(crate) struct NetworkRecord {
    pub id: Guid,
    pub document: Network,
    pub internal: NetworkInternal,
}

impl Record for NetworkRecord {
    const KIND: Kind = Kind::Network;
    type Document = Network;
    type Internal = NetworkInternal;

    fn new(id: Guid, document: Network, internal: NetworkInternal) -> Self {
        NetworkRecord {
            id,
            document,
            internal,
        }
    }
    fn id(&self) -> Guid {
        self.id
    }
    fn document(&self) -> &Network {
        &self.document
    }
    fn internal(&self) -> &NetworkInternal {
        &self.internal
    }
    fn name(&self) -> &str {
        self.document.name.get().map_or("", String::as_str)
    }
    fn network(&self) -> Option<Guid> {
        None
    }
}

impl NetworkRecord {
    /// The network's type; absent means NAT.
    pub fn network_type(&self) -> NetworkType {
        type_of(&self.document)
    }

    /// The pool that endpoints get MAC addresses from.
    pub fn mac_pool(&self) -> Vec<(MacAddress, MacAddress)> {
        mac_pool(&self.document)
    }
}

/// Makes a network.
///
/// # Errors
/// Those of hns-behaviour 3.1, in the order of 3.3.
pub(crate) fn create(change: &mut Change<'_>, caller: Guid, settings: &str) -> Answer<Guid> {
    let map = object(settings)?;
    let (mut network, mut internal) = if is_v2(&map) {
        (
            hcn_schema::Document::from_map(&map),
            NetworkInternal::default(),
        )
    } else {
        v1::network::to_v2(&map)
    };
    if let Some(odd) = network.network_type.odd() {
        return Err(HnsError::at(
            HcnCode::HCN_E_INVALID_NETWORK_TYPE,
            "/Type",
            format!(
                "{odd} is no type of network; NAT, Transparent, L2Bridge, L2Tunnel, Overlay, Internal, Private and ICS are"
            ),
        ));
    }
    refuse_odd(&network, HcnCode::HCN_E_INVALID_NETWORK)?;
    let name = network.name.or_default();
    refuse_long_name(
        &name,
        change.profile.name_limit,
        HcnCode::HCN_E_INVALID_NETWORK,
    )?;
    let id = chosen_id(caller, network.id.get(), || change.ids.guid())?;
    let others: Vec<NetworkRecord> = change.view.all()?;
    refuse_known(change, &others, id, &name, type_of(&network))?;
    network.canonical_keys();
    network.id = Id::from(id).into();
    network.name.set(name);
    network.version.set(change.profile.version.number());
    network.schema_version.set(SchemaVersion::new(2, 0));
    if internal.type_text.is_none() {
        internal.type_text = network
            .network_type
            .write()
            .and_then(|text| text.as_str().map(str::to_owned));
    }
    settle_type(&mut network);
    settle_subnets(change, &mut network, id, &others)?;
    settle_mac_pool(change, &mut network, id, &others)?;
    let typed = in_words(network.policies.or_default(), NUMBERS);
    if !typed.is_empty() {
        // One after the other, so that each meets those before it as in an Add.
        network.policies.set(Vec::with_capacity(typed.len()));
        for (index, policy) in typed.into_iter().enumerate() {
            let at = |error: HnsError| error.below(&format!("/Policies/{index}"));
            policies::admit(change.profile, &network, &policy).map_err(at)?;
            modify::refuse_second(&network, &policy).map_err(at)?;
            network.policies.edit().push(policies::stored_form(policy));
        }
    }
    add_host_policies(&mut network, id);
    drop_empty(&mut network);
    internal.activity = change.ids.guid().0;
    internal.parent = change.ids.guid().0;
    internal.layered_on = change.ids.guid().0;
    internal.switch = change.ids.guid().0;
    internal.interface = change.ids.guid().0;
    internal.made = change.file_time();
    let flags = network.flags.or_default().0;
    change.tell(
        Notification::NetworkPreCreate,
        Kind::Network,
        id,
        flags,
        &Value::Null,
    );
    change.insert(&NetworkRecord {
        id,
        document: network,
        internal,
    })?;
    change.tell(
        Notification::NetworkCreate,
        Kind::Network,
        id,
        flags,
        &Value::Null,
    );
    Ok(id)
}

/// Deletes a network and its endpoints (hns-behaviour 6.4), and by version the load balancers and routes over them (Q24).
///
/// # Errors
/// `HCN_E_NETWORK_NOT_FOUND`.
pub(crate) fn delete(change: &mut Change<'_>, id: Guid) -> Answer<()> {
    let record: NetworkRecord = change.view.load(id)?;
    let flags = record.document.flags.or_default().0;
    change.tell(
        Notification::NetworkPreDelete,
        Kind::Network,
        id,
        flags,
        &Value::Null,
    );
    for row in change.view.rows(Kind::Endpoint, None, Some(id))? {
        endpoint::delete(change, row.id)?;
    }
    if !change.profile.keeps_orphaned_policy_lists {
        for row in change.view.rows(Kind::LoadBalancer, None, Some(id))? {
            load_balancer::remove(change, &row.record()?)?;
        }
        for row in change.view.rows(Kind::SdnRoute, None, Some(id))? {
            change.remove::<SdnRouteRecord>(&row.record()?)?;
        }
    }
    change.view.forget_count(id)?;
    change.remove(&record)?;
    change.tell(
        Notification::NetworkDelete,
        Kind::Network,
        id,
        flags,
        &Value::Null,
    );
    Ok(())
}

/// The type of a document; HNS leaves out NAT, whose number is 0.
pub(crate) fn type_of(network: &Network) -> NetworkType {
    network
        .network_type
        .get()
        .copied()
        .unwrap_or(NetworkType::Nat)
}

fn refuse_known(
    change: &Change<'_>,
    others: &[NetworkRecord],
    id: Guid,
    name: &str,
    own: NetworkType,
) -> Answer<()> {
    if change.view.exists(ObjectId {
        kind: Kind::Network,
        id,
    })? {
        return Err(HnsError::at(
            HcnCode::HCN_E_NETWORK_ALREADY_EXISTS,
            "/ID",
            format!("there is a network {id} already; open that one, or give another ID or none"),
        ));
    }
    let twin = others
        .iter()
        .find(|other| other.name() == name && other.network_type() == own);
    match twin {
        Some(twin) if change.profile.refuse_duplicate_network_name && !name.is_empty() => {
            Err(HnsError::at(
                HcnCode::HCN_E_NETWORK_ALREADY_EXISTS,
                "/Name",
                format!(
                    "there is a network {name:?} of type {own} already ({})",
                    twin.id
                ),
            ))
        }
        _ => Ok(()),
    }
}

/// Canonical word, and none for NAT, as in v2 answers (hns-behaviour 2.1).
fn settle_type(network: &mut Network) {
    match type_of(network) {
        NetworkType::Nat => network.network_type.clear(),
        other => network.network_type.set(other),
    }
    // A number whatever the client wrote; none for 0 (hns-behaviour 2.1).
    match network.flags.get().copied() {
        Some(flags) if flags.0 == 0 => network.flags.clear(),
        Some(flags) => network.flags.set(flags),
        None => {}
    }
}

/// Checks the subnets, chooses one for a NAT or ICS network that has none, and fills in ids, ranges and gateways.
fn settle_subnets(
    change: &Change<'_>,
    network: &mut Network,
    id: Guid,
    others: &[NetworkRecord],
) -> Answer<()> {
    let own = type_of(network);
    let translated = matches!(
        own,
        NetworkType::Nat | NetworkType::Ics | NetworkType::ConstrainedIcs
    );
    let taken: Vec<IpNet> = others
        .iter()
        .filter(|other| {
            matches!(
                other.network_type(),
                NetworkType::Nat | NetworkType::Ics | NetworkType::ConstrainedIcs
            )
        })
        .flat_map(|other| address::subnets(&other.document))
        .map(|subnet| subnet.prefix)
        .collect();
    let mut ipams = network.ipams.or_default();
    let any = ipams
        .iter()
        .flat_map(|ipam| ipam.subnets.get().into_iter().flatten())
        .any(|subnet| !is_open(subnet));
    if translated && !any {
        let block =
            address::free_block(change.seed ^ mix(id.0 as u64), &taken).ok_or_else(|| {
                HnsError::at(
                    HcnCode::HCN_E_INVALID_SUBNET,
                    "/Ipams",
                    "no /20 of 172.16.0.0/12 is free; give the network a subnet of its own",
                )
            })?;
        // docker's default network asks for 0.0.0.0/0 and means "choose" (clients, 1.6).
        let asked = ipams
            .first()
            .and_then(|ipam| ipam.subnets.get()?.first().cloned());
        let subnet = Subnet {
            ip_address_prefix: block.to_string().into(),
            routes: Field::default(),
            ..asked.unwrap_or_default()
        };
        ipams = vec![Ipam {
            subnets: vec![subnet].into(),
            ..ipams.first().cloned().unwrap_or_default()
        }];
    }
    let mut seen: Vec<IpNet> = Vec::new();
    for (i, ipam) in ipams.iter_mut().enumerate() {
        let mut subnets = ipam.subnets.or_default();
        for (s, subnet) in subnets.iter_mut().enumerate() {
            let field = format!("/Ipams/{i}/Subnets/{s}");
            let prefix =
                settle_subnet(change, subnet, translated).map_err(|error| error.below(&field))?;
            let clash = seen
                .iter()
                .chain(if translated { taken.as_slice() } else { &[] })
                .find(|other| address::overlap(other, &prefix));
            if let Some(clash) = clash {
                return Err(HnsError::at(
                    HcnCode::E_INVALIDARG,
                    format!("{field}/IpAddressPrefix"),
                    format!(
                        "{prefix} overlaps {clash} of this or another network behind NAT; choose another subnet"
                    ),
                ));
            }
            seen.push(prefix);
        }
        if !subnets.is_empty() {
            ipam.subnets.set(subnets);
        }
        // The word for what may have come as a number; none for Static, which is 0.
        match ipam.ipam_type.get().copied() {
            Some(IpamType::Static) => ipam.ipam_type.clear(),
            Some(other) => ipam.ipam_type.set(other),
            None => {}
        }
    }
    network.ipams = if ipams.is_empty() {
        Field::default()
    } else {
        ipams.into()
    };
    Ok(())
}

/// Whether a subnet leaves the choice to HNS.
fn is_open(subnet: &Subnet) -> bool {
    subnet
        .ip_address_prefix
        .get()
        .is_none_or(|text| text.is_empty() || text == "0.0.0.0/0")
}

fn settle_subnet(change: &Change<'_>, subnet: &mut Subnet, translated: bool) -> Answer<IpNet> {
    let text = subnet.ip_address_prefix.get().ok_or_else(|| {
        HnsError::at(
            HcnCode::HCN_E_INVALID_SUBNET,
            "/IpAddressPrefix",
            "the subnet has no prefix; give one such as 192.168.100.0/24",
        )
    })?;
    let prefix = prefix(text).map_err(|error| error.below("/IpAddressPrefix"))?;
    for (r, route) in subnet.routes.get().into_iter().flatten().enumerate() {
        if let Some(hop) = route.next_hop.get().filter(|hop| !hop.is_empty()) {
            hop.parse::<std::net::IpAddr>().map_err(|_| {
                HnsError::at(
                    HcnCode::HCN_E_INVALID_SUBNET,
                    format!("/Routes/{r}/NextHop"),
                    format!("{hop:?} is not an IP address"),
                )
            })?;
        }
    }
    for (p, policy) in subnet.policies.get().into_iter().flatten().enumerate() {
        if let SubnetPolicy::Other(other) = SubnetPolicy::of(policy) {
            let name = other.policy_type.or_default();
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_POLICY_TYPE,
                format!("/Policies/{p}/Type"),
                format!("{name:?} is no type of subnet policy; VLAN and VSID are"),
            ));
        }
        if let Some((pointer, value)) = SubnetPolicy::odd_fields(policy).into_iter().next() {
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_POLICY,
                format!("/Policies/{p}{pointer}"),
                format!("{value} is not a number"),
            ));
        }
    }
    if translated && subnet.routes.get().is_none_or(Vec::is_empty) {
        // HNS picks the first host address (hns-behaviour 5.2).
        let gateway = prefix.hosts().next().unwrap_or(prefix.network());
        let destination = if gateway.is_ipv4() {
            "0.0.0.0/0"
        } else {
            "::/0"
        };
        subnet.routes.set(vec![Route {
            next_hop: gateway.to_string().into(),
            destination_prefix: destination.to_owned().into(),
            ..Route::default()
        }]);
    }
    if subnet.id.get().and_then(Id::guid).is_none() {
        subnet.id.set(change.ids.guid().into());
    }
    let mut ranges = subnet.ip_subnets.or_default();
    if ranges.is_empty() {
        ranges.push(IpSubnet {
            ip_address_prefix: prefix.to_string().into(),
            flags: IpSubnetFlags(3).into(),
            ..IpSubnet::default()
        });
    }
    for (r, range) in ranges.iter_mut().enumerate() {
        let field = format!("/IpSubnets/{r}/IpAddressPrefix");
        let text = range.ip_address_prefix.or_default();
        let inner = self::prefix(&text).map_err(|error| error.below(&field))?;
        if !prefix.contains(&inner) {
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_IP_SUBNET,
                field,
                format!("{inner} is not inside the subnet {prefix}"),
            ));
        }
        if range.id.get().and_then(Id::guid).is_none() {
            range.id.set(change.ids.guid().into());
        }
    }
    subnet.ip_subnets.set(ranges);
    Ok(prefix)
}

/// A CIDR without host bits.
pub(crate) fn prefix(text: &str) -> Answer<IpNet> {
    let prefix: IpNet = text.parse().map_err(|_| {
        HnsError::at(
            HcnCode::HCN_E_INVALID_PREFIX,
            "",
            format!("{text:?} is not a prefix of the form 192.168.100.0/24"),
        )
    })?;
    if prefix.trunc() != prefix {
        return Err(HnsError::at(
            HcnCode::HCN_E_INVALID_PREFIX,
            "",
            format!("{text} has host bits set; the subnet is {}", prefix.trunc()),
        ));
    }
    Ok(prefix)
}

fn mac_pool(network: &Network) -> Vec<(MacAddress, MacAddress)> {
    let ranges = network.mac_pool.get().and_then(|pool| pool.ranges.get());
    ranges
        .into_iter()
        .flatten()
        .filter_map(|range| {
            let first: MacAddress = range.start_mac_address.get()?.parse().ok()?;
            let last: MacAddress = range.end_mac_address.get()?.parse().ok()?;
            (first <= last).then_some((first, last))
        })
        .collect()
}

fn settle_mac_pool(
    change: &Change<'_>,
    network: &mut Network,
    id: Guid,
    others: &[NetworkRecord],
) -> Answer<()> {
    let given = network
        .mac_pool
        .get()
        .and_then(|pool| pool.ranges.get())
        .cloned()
        .unwrap_or_default();
    for (r, range) in given.iter().enumerate() {
        for (key, text) in [
            ("StartMacAddress", &range.start_mac_address),
            ("EndMacAddress", &range.end_mac_address),
        ] {
            let text = text.or_default();
            text.parse::<MacAddress>().map_err(|error| {
                HnsError::at(
                    HcnCode::HCN_E_INVALID_NETWORK,
                    format!("/MacPool/Ranges/{r}/{key}"),
                    format!("{text:?} is {error}"),
                )
            })?;
        }
        if mac_pool(network).len() != given.len() {
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_NETWORK,
                format!("/MacPool/Ranges/{r}"),
                "a range ends before it starts; swap StartMacAddress and EndMacAddress",
            ));
        }
    }
    if given.is_empty() {
        let taken: BTreeSet<u64> = others
            .iter()
            .flat_map(NetworkRecord::mac_pool)
            .map(|(first, _)| first.number() & !0xfff)
            .collect();
        let (first, last) = address::free_mac_block(change.seed ^ mix(!id.0 as u64), &taken);
        let range = MacRange {
            start_mac_address: first.to_string().into(),
            end_mac_address: last.to_string().into(),
            ..MacRange::default()
        };
        network.mac_pool.set(MacPool {
            ranges: vec![range].into(),
            ..MacPool::default()
        });
    }
    Ok(())
}

/// Overlay and L2Bridge networks get policies that tell the host's address, and an overlay the MAC of its router, for which flannel waits
/// (hns-behaviour 2.3; clients 1.6).
fn add_host_policies(network: &mut Network, id: Guid) {
    let own = type_of(network);
    if !matches!(
        own,
        NetworkType::Overlay | NetworkType::L2Bridge | NetworkType::L2Tunnel
    ) {
        return;
    }
    let mut policies = network.policies.or_default();
    if !policies.iter().any(|policy| policy.is("ProviderAddress")) {
        let address = ProviderAddress {
            provider_address: MANAGEMENT_ADDRESS.to_owned().into(),
            ..ProviderAddress::default()
        };
        policies.push(Policy::new("ProviderAddress", &address));
    }
    if own == NetworkType::Overlay && !policies.iter().any(|policy| policy.is("DrMacAddress")) {
        let mac = MacAddress::from_number(0x0015_5d00_0000 | mix(id.0 as u64) & 0xff_ffff);
        policies.push(Policy::new(
            "DrMacAddress",
            &DrMacAddress {
                address: mac.to_string().into(),
                ..DrMacAddress::default()
            },
        ));
    }
    network.policies.set(policies);
}

/// Go clients send empty objects where they mean nothing (hns-behaviour 1.6); answers leave them out.
fn drop_empty(network: &mut Network) {
    let empty = |value: Option<&Value>| {
        value.is_none_or(|value| {
            value.is_null()
                || value.as_object().is_some_and(|map| {
                    map.values()
                        .all(|inner| inner.as_object().is_some_and(serde_json::Map::is_empty))
                })
        })
    };
    if empty(network.health.get()) {
        network.health.clear();
    }
    if empty(network.additional_params.get()) {
        network.additional_params.clear();
    }
    if network.dns.write().is_some_and(|dns| empty(Some(&dns))) {
        network.dns.clear();
    }
    if network.policies.get().is_some_and(Vec::is_empty) {
        network.policies.clear();
    }
}
