// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every check: its name, how bad it is, why it is one, what to do, and where that is known from.
//!
//! Apart from the checks, since `--explain`, SARIF and docs/lint.md are made of this table. Names are promises: scripts and suppressions hold them.

use std::fmt::{self, Write};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; may well be meant.
    Note,
    /// Probably not meant, or will surprise.
    Warning,
    /// Refused, without effect, or opens or cuts more than it says.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// A check.
#[derive(Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// The severity of its findings; some findings of it may be notes.
    pub severity: Severity,
    /// What it finds, in a sentence.
    pub finds: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where that is known from.
    pub source: &'static str,
}

/// The check of a name that this program uses itself.
pub(super) fn named(name: &'static str) -> &'static Check {
    CHECKS
        .iter()
        .find(|check| check.name == name)
        .unwrap_or_else(|| unreachable!("{name} is in the table, as a test sees to"))
}

/// Checks whose findings may come with edits, where the document leaves no choice which.
pub const PATCHED: [&str; 19] = [
    "lone-block",
    "one-way-rules",
    "duplicate-rule",
    "shadowed-rule",
    "overruled-rule",
    "partly-shadowed-rule",
    "tie-decides",
    "foreign-local-address",
    "ports-and-portless-protocol",
    "ports-for-any-protocol",
    "matches-nothing",
    "priority-zero",
    "priority-too-high",
    "host-bits",
    "protocol-name",
    "unreferenced-set",
    "misspelt-key",
    "key-case",
    "unknown-policy-type",
];

macro_rules! checks {
    ($( $name:literal $severity:ident: $finds:literal; $why:literal; $fix:literal; $source:literal; )*) => {
        /// Every check, grouped by what it looks at.
        pub const CHECKS: &[Check] = &[$(
            Check {
                name: $name,
                severity: Severity::$severity,
                finds: $finds,
                why: $why,
                fix: $fix,
                source: $source,
            },
        )*];
    };
}

checks! {
    // What no rule names.
    "lone-block" Error:
        "An endpoint, its tiers or a network have Block rules and no Allow rule that decides a packet, so everything else is dropped too.";
        "The first ACL of an endpoint turns its default from allow to deny, in both directions. Whoever blocks one port and adds nothing else cuts the container off: no DNS, no ping, no answers to anybody. An Allow that stronger rules leave nothing is as good as none, and so is one whose packets all are dropped by another list. Rules of the network and tiers have a default of their own (how HNS puts them together with ACLs is not on record; judged is that each must let a packet pass): one Block among a network's rules cuts off all of its endpoints. The one by which Calico's plugin closes an endpoint until its agent writes the policies is a warning.";
        "Add an Allow rule without conditions at the weakest priority (65500) for each direction.";
        "hns-behaviour 4.3 (Windows-Containers#616, hcsshim#1059), 4.12, 4.14";
    "one-way-rules" Warning:
        "An endpoint, its tiers or a network have Allow rules in one direction only, and everything in the other direction is dropped by default.";
        "The default deny holds for both directions as soon as there is one rule. Answers of allowed flows still pass, new flows the other way do not.";
        "Say what is meant: a Block rule without conditions at priority 65500 where the direction is to be closed (no flow changes), an Allow rule where it is to be open.";
        "hns-behaviour 4.3, 4.6, 4.12, 4.14";
    "dns-blocked" Warning:
        "An endpoint may open some flows and cannot ask any DNS server, and no Block rule says so.";
        "DNS is subject to the rules like other traffic on port 53. With names unresolved, the flows that are allowed are rarely opened.";
        "Add an Allow Out rule for UDP to port 53 of the DNS server.";
        "hns-behaviour 4.8 (Azure/azure-container-networking PR 2617)";
    "node-shut-out" Note:
        "An endpoint's rules let others in and not the node itself.";
        "Probes of the kubelet come from the node and cross the endpoint's port like any packet; blocked, they have the container killed. Whether anything probes it, documents do not show. On which of its addresses the node comes depends on the plugin, so this is found where none of those that the network tells gets in.";
        "Add an Allow In rule for the node's addresses, stronger than the Block rules.";
        "hns-behaviour 4.8 (Azure/azure-container-networking#1881, Calico's allow-host-to-endpoint)";

    // Rules among each other.
    "duplicate-rule" Warning:
        "A rule says the same as an earlier one of the same endpoint.";
        "HNS does not look for doubles: a request of type Add that is sent twice is stored twice. Taking one away then changes nothing.";
        "Take the later one away.";
        "hns-behaviour 4.10 (the walk-through)";
    "shadowed-rule" Warning:
        "A rule decides no packet: stronger rules decide all that it matches.";
        "A rule without effect misleads its readers, most of all an Allow behind a Block.";
        "Take it away; or give it a lower priority number than the rules that decide in its place, if it is meant.";
        "hns-behaviour 4.4, 4.16; computed over all packets";
    "overruled-rule" Warning:
        "A rule decides packets, and nothing hangs on it: another list of rules settles them all.";
        "Tiers are asked before ACLs, rules of the network and of the kind Host have their own say, and a packet has to pass all of them. An Allow does not open what another list drops, and a Block has no effect where nothing arrives. How HNS puts tiers and ACLs of one endpoint together is not on record: judged is that both have to let a packet pass.";
        "Take it away; or, if it is meant, change the list that settles these packets.";
        "hns-behaviour 4.1, 4.12, 4.14; computed over all packets";
    "partly-shadowed-rule" Note:
        "A part of a rule decides no packet: stronger rules decide all that it matches.";
        "The rule seems to say more than it does. A stronger rule about something narrower is an exception and is not told: a Block for port 80 above an Allow for all ports. Told are items of the rule's lists of which no packet is left to it; a protocol with a port, where the rule names both and stronger rules decide all of it otherwise; and ports that it shares with a stronger rule which does otherwise and reaches beyond them (80-90 and 85-95), so that neither is an exception from the other. Ports are told only where no address is left on them.";
        "Leave this part out; or, if it is meant, give the rule a lower priority number than those that decide in its place.";
        "hns-behaviour 4.4, 4.16; computed over all packets";
    "tie-decides" Warning:
        "A rule loses packets to a rule of the same priority that does the opposite.";
        "Which of the two wins is not documented: Block wins as far as is known, and the order of the rules does not count.";
        "Give the two rules different priorities.";
        "hns-behaviour 4.5 (Calico, Azure NPM)";

    // One rule by itself.
    "any-address" Warning:
        "A rule names no address and no destination port, or its addresses are written and empty, and so it is about everybody.";
        "An empty or missing address means every address. In an Allow that opens more than was meant; a Block of that kind cuts more (a note then). An address that is written and empty is told of every rule that names nobody, since a list from which the addresses went missing looks like that. One that is not written is told where the rule has a protocol and no destination port: a rule without any condition is the baseline of agents, of people who close an endpoint and of policy files (`otherwise: allow`), and is not told. Nor is what HNS fills in itself in a rule of v1, which InternalPort beside it shows.";
        "Name the addresses or ports that are meant; if everybody is meant, write 0.0.0.0/0 or ::/0 to say so.";
        "hns-behaviour 4.7, 4.9 (Azure/azure-container-networking#1431, the walk-through)";
    "foreign-local-address" Warning:
        "A rule names local addresses, and the endpoint has none of them.";
        "Local is the endpoint, whichever the direction. A rule with another's address there never matches its traffic. The virtual address of a load balancer that keeps the destination (PreserveDIP) counts as an address of its backends.";
        "Write the endpoint's own address, leave the field out, or use RemoteAddresses for the other side.";
        "hns-behaviour 4.7";
    "own-remote-address" Warning:
        "A rule names only the endpoint's own addresses as the other side.";
        "What an endpoint sends to itself does not cross its port, so the rule never matches. Local and Remote are easily taken for source and destination.";
        "Move the addresses to LocalAddresses, and name the other side.";
        "hns-behaviour 4.7, 4.8";
    "ports-without-protocol" Error:
        "A rule names ports, and none of its protocols has ports.";
        "Ports mean something only for TCP and UDP; no packet meets the rule. That SCTP (132) has them for HNS too is a guess.";
        "Leave the ports out, or name protocol 6 (TCP) or 17 (UDP).";
        "hns-behaviour 4.7 (Cisco CSW)";
    "ports-and-portless-protocol" Warning:
        "A rule names ports, and besides TCP or UDP a protocol that has none.";
        "Packets of the protocol without ports never meet the rule. SCTP (132) is taken for one with ports, which is a guess.";
        "Write a rule of its own for the protocol without ports.";
        "hns-behaviour 4.7";
    "ports-for-any-protocol" Warning:
        "A rule names ports and no protocol.";
        "Ports mean something only where TCP or UDP is named; what Windows makes of the rest is not on record, and that SCTP (132) has ports is a guess.";
        "Name the protocols: 6 (TCP), 17 (UDP).";
        "hns-behaviour 4.7 (Cisco CSW)";
    "mixed-families" Error:
        "A rule names addresses of one family on its own side and of the other family on the other side.";
        "No packet has an IPv4 address at one end and an IPv6 address at the other.";
        "Write a rule for each family.";
        "hns-behaviour 4.6";
    "icmp-other-family" Warning:
        "A rule names ICMP with IPv6 addresses, or ICMPv6 with IPv4 addresses.";
        "The echo of IPv4 is protocol 1, that of IPv6 is protocol 58 and carries neighbour discovery too; neither goes between addresses of the other family.";
        "Write 1 (ICMP) for IPv4 addresses, 58 (ICMPv6) for IPv6 ones.";
        "hns-behaviour 4.6, 4.7";
    "source-port" Warning:
        "An In rule names ports of the other side only, or an Out rule the endpoint's own, below 32768.";
        "These are ports from which a flow is opened, and a client's system chooses them (Linux from 32768 on, Windows from 49152); the service's port is LocalPorts of an In rule, RemotePorts of an Out rule. A rule for answers is not needed, since rules are stateful. Of UDP it may be meant (a note then): some services send from a port of their own.";
        "Write the ports into the other list.";
        "hns-behaviour 4.6, 4.7";
    "matches-nothing" Warning:
        "No packet meets the conditions of a rule.";
        "The rule decides nothing, yet it counts as a rule: it keeps the default deny in force.";
        "Correct its conditions, or take it away.";
        "hns-behaviour 4.3, 4.7";
    "priority-zero" Warning:
        "A Switch rule has priority 0 or none, and so is stronger than any other.";
        "Only Host rules go without a priority. What HNS does with such a Switch rule is not on record; as a number, 0 is the strongest.";
        "Write a priority from 1 to 65500; 100 to 4096 is the range for users.";
        "hns-behaviour 4.4";
    "priority-too-high" Error:
        "A rule has a priority over 65500.";
        "65500 is the highest number with which a rule is known to work.";
        "Write 65500 or less.";
        "hns-behaviour 4.4 (Calico)";
    "one-family-rules" Note:
        "An endpoint has addresses of both families, and its rules name addresses of one only.";
        "IPv4 and IPv6 are judged apart: what is closed to an IPv4 address is open, or shut altogether, to the same machine's IPv6 address.";
        "Write each such rule for the other family too, or a rule that closes the other family.";
        "hns-behaviour 4.6 (kubernetes#101047, antrea#5162)";
    "host-bits" Warning:
        "A CIDR has bits set behind its prefix.";
        "Windows Server 2019 takes it, Windows Server 2022 refuses the whole request with 0x803b000d.";
        "Write the subnet, or the address with its full prefix length.";
        "hcsshim#1951; read here as the subnet, which is a guess";
    "protocol-name" Warning:
        "A rule names a protocol by its name.";
        "HNS takes numbers: 6 for TCP, 17 for UDP, 1 for ICMP.";
        "Write the number.";
        "hns-behaviour 4.7";
    "unreadable-rule" Error:
        "A field of a rule has no meaning, so HNS refuses it, or the rule does not do what it says.";
        "HNS answers 0x803b000d and names neither the rule nor the field; one bad rule fails the whole request.";
        "Correct the field.";
        "hns-behaviour 4.7 (hcsshim#1059)";
    "unknown-set" Error:
        "A rule names an IP set that its network does not have.";
        "HNS refuses the rule: sets must exist before the rules that name them.";
        "Add the SetPolicy to the network first, or correct its id.";
        "hns-behaviour 4.12";
    "remote-endpoint-rules" Warning:
        "A remote endpoint has rules.";
        "A remote endpoint has no port on this host, so nothing enforces them.";
        "Put the rules on the endpoint itself, on its host.";
        "hns-behaviour 4.3";
    "no-effect-on-nat" Error:
        "An endpoint on a NAT network has rules, and this version of HNS does not enforce them there.";
        "On Windows Server 2025 before KB5082062 (April 2026), ACLs of endpoints on NAT networks have no effect.";
        "Install the update, or use another type of network.";
        "hns-behaviour 4.1 (Windows-Containers#616)";
    "long-list" Warning:
        "A rule names more than 4000 addresses or ports.";
        "No user of HNS is known to send more in one rule: Calico cuts its lists there.";
        "Divide it into several rules.";
        "hns-behaviour 4.13, Q41 (Calico)";
    "outer-port-in-rule" Warning:
        "An In rule names the port of the host that an endpoint publishes, and not its own.";
        "The translation is done before the rules: what arrives at the host's port reaches them with the container's port.";
        "Write the container's port.";
        "hns-behaviour 4.6";
    "published-port-blocked" Warning:
        "An endpoint publishes a port, and its rules let nothing in there.";
        "The mapping is in vain. Where a Block rule says so, it may be meant (a note then).";
        "Add an Allow In rule for the container's port, or publish it no more.";
        "hns-behaviour 4.3, 4.6";

    // IP sets.
    "empty-set" Warning:
        "A rule names an IP set without addresses.";
        "No address is in it, so the rule matches nothing.";
        "Give the set its addresses, or take the rule away.";
        "hns-behaviour 4.7, 4.12";
    "empty-nested-set" Error:
        "A rule names a nested IP set without members, which matches every address.";
        "An Allow rule with such a set is open to everybody.";
        "Give the nested set a member; an empty IPSET will do, and matches nobody.";
        "hns-behaviour 4.7 (Azure/azure-container-networking#1431)";
    "unreferenced-set" Note:
        "No rule and no nested set names an IP set.";
        "HNS keeps it all the same, and agents leave such sets behind.";
        "Take it away if nobody adds rules for it.";
        "hns-behaviour 4.12";
    "unreadable-set" Error:
        "A value of an IP set is no address, no CIDR and no set.";
        "HNS refuses the set. One that is stored all the same is read here as a set without any address, so that rules that name it match nothing.";
        "Correct the value.";
        "hns-behaviour 4.12";
    "set-twice" Error:
        "Two IP sets of one network have one id.";
        "HNS has one set of an id: the second is refused with 0x803b0012, or takes the place of the first, and rules mean addresses that they did not.";
        "Put the values into one set, or give the second an id of its own.";
        "hns-behaviour 4.12, Q61";

    // Words.
    "misspelt-key" Warning:
        "A key is unknown and a slip away from one that is known.";
        "HNS takes unknown keys without a word, and what they were to say is not said.";
        "Write the known key.";
        "hns-behaviour 2.1 (hcsshim PR 145)";
    "unknown-key" Note:
        "The settings of a policy have a key that its type does not have, or an object has one beside the list whose name is its plural.";
        "HNS takes unknown keys without a word.";
        "Take it away, or look up how the setting is called.";
        "hns-behaviour 2.12, 2.13";
    "key-case" Note:
        "A key is written in another case than HNS writes it.";
        "HNS compares keys without case, other tools do not. Id of a rule is the exception: HNS takes only this spelling (a warning then).";
        "Write it as HNS does.";
        "hns-behaviour 2.1";
    "key-twice" Warning:
        "An object has a key twice, in different case.";
        "Only one of them counts, and which is not documented.";
        "Keep one.";
        "hns-behaviour 2.1; CNI samples with policies and Policies";
    "unreadable-member" Error:
        "A member has a value of a kind that it cannot have, such as a text where a list belongs.";
        "HNS refuses such a document. Here the member counts as missing, so nothing inside of it is examined.";
        "Write a value of the right kind.";
        "hns-behaviour 2.1, 2.2";
    "unknown-policy-type" Warning:
        "A policy has a type that is unknown.";
        "HNS refuses it, or keeps it and does nothing. Some types have another name in v1: PROXY is L4Proxy.";
        "Correct the type.";
        "hns-behaviour 2.12, 2.13";
    "misplaced-policy" Error:
        "A policy stands on a kind of object that it is not for.";
        "HNS refuses it with 0x803b000e, or keeps it and does nothing: ACL is for endpoints, NetworkACL and SetPolicy are for networks.";
        "Put it where it belongs.";
        "hns-behaviour 2.12, 2.13";
    "needs-newer-hns" Error:
        "An object uses what this version of HNS does not have.";
        "HNS refuses it, or takes it and does nothing.";
        "Leave it out, or update the host; hcnctl lint --profile VERSION asks of another version.";
        "hns-behaviour 2.9 (hnslib, hcsshim)";

    // Addresses.
    "duplicate-address" Error:
        "Two endpoints of one network have one address.";
        "A remote endpoint that was left behind takes the traffic of a new local one.";
        "Delete the one that is stale: of a remote and a local one the remote one.";
        "kubernetes#130963, moby#47576";
    "duplicate-mac" Error:
        "Two local endpoints of one network have one MAC address.";
        "The switch sends the frames of both to one of them.";
        "Make one of them again without a MAC address, so that HNS chooses one.";
        "hns-behaviour 5.3";
    "gateway-address-taken" Error:
        "An endpoint has the address of its subnet's gateway.";
        "Its neighbours send to it what is to leave the subnet. On L2Bridge and L2Tunnel networks plugins give the host such an endpoint on purpose (a note then).";
        "Give it another address.";
        "hns-behaviour 5.2";
    "address-outside-subnet" Warning:
        "An endpoint's address is in no subnet of its network.";
        "Neighbours look for it behind the gateway.";
        "Give it an address of the subnet.";
        "hns-behaviour 5.3";
    "gateway-outside-subnet" Warning:
        "A subnet's gateway is not in the subnet.";
        "Containers cannot reach it: no flow leaves the subnet.";
        "Correct the prefix or the gateway.";
        "a recorded Get-HnsEndpoint with such a gateway";
    "overlapping-subnets" Warning:
        "A subnet that the host's own stack has (NAT, ICS, Internal) overlaps another network's, or the host's address on the wire.";
        "The host routes an address to one of them, so that the other, be it the LAN, cannot be reached. Networks on external switches alone may share the subnet of the wire.";
        "Give one of them another prefix.";
        "hns-behaviour 5.1; docker/for-win#396, WSL#4467";
    "apipa-management-address" Warning:
        "A network's management address is a link-local one.";
        "The network is bound to a card without an address of its own; overlay tunnels end nowhere.";
        "Make the network again and name the card.";
        "hns-behaviour 2.3, 2.12; SDN networkhealth.ps1 (IncorrectManagementIp)";
    "management-address-apart" Warning:
        "The management address of an overlay network is far from the other ends of its tunnels, which are near each other.";
        "On a host with several cards the network may be bound to the wrong one: the tunnels then leave by it, or nobody answers. Documents do not show the cards. Far is here another start of 16 bits.";
        "Look which card the nodes talk over; if it is another one, make the network again and name it.";
        "hns-behaviour 2.12; a recorded network of Calico that was bound to the card of a NAT";
    "vsid-too-low" Error:
        "A subnet has a VSID below 4096.";
        "Windows takes only 4096 and above.";
        "Give it a VSID of 4096 or more, on every node.";
        "hns-behaviour 2.12, 5.1 (flannel)";
    "remote-route-off-overlay" Error:
        "A network that is no overlay has a RemoteSubnetRoute.";
        "There are no tunnels that it could lead into.";
        "Take it away, or route the prefix.";
        "hns-behaviour 2.12";
    "remote-route-isolation" Warning:
        "A RemoteSubnetRoute has a VSID that no subnet of its network has.";
        "The other node takes the packets for those of another network, or drops them.";
        "Give all nodes one VSID for the network.";
        "hns-behaviour 5.5";
    "remote-route-own-subnet" Warning:
        "A RemoteSubnetRoute leads to addresses of the network's own subnet.";
        "These addresses are here, and what is sent to them may leave for another node.";
        "Take the route away; it may be left from an earlier division of the cluster's addresses.";
        "hns-behaviour 5.5";
    "unsupported-family" Warning:
        "An endpoint on an overlay network has an IPv6 address.";
        "Networks of type Overlay carry no IPv6.";
        "Leave the address out, or use an L2Bridge network.";
        "hns-behaviour 5.1";
    "outbound-nat-twice" Warning:
        "An endpoint has two OutBoundNAT policies of one family, neither for destinations of its own.";
        "HNS has one of a family; whose exceptions hold is not on record.";
        "Put the exceptions of both into one.";
        "hns-behaviour 5.5";
    "nat-exceptions-miss" Note:
        "OutBoundNAT excepts some destinations, and not all that this host knows to be of its own network.";
        "What is not excepted leaves with the host's address: other pods and services then see the node and not the pod, and rules that name the pod fail. A ping is a poor test of it, since ICMP is not translated.";
        "Add the subnets of pods, services and nodes to the list.";
        "hns-behaviour 2.12, 5.5 (AKS#1367, aks-engine PR 901, SDN#170)";
    "dead-namespace" Warning:
        "An endpoint is in a namespace that is not there, or a namespace lists an endpoint that is not there.";
        "The container is gone and the endpoint was left behind: it keeps its address, and pools run dry.";
        "Delete the endpoint where no container uses it; take what is gone out of the namespace's resources.";
        "kubernetes#68511, containerd#6181";
    "encap-overhead" Note:
        "Endpoints of one network reserve different room for encapsulation, or one of an overlay network less than VXLAN needs.";
        "Its packets are larger than the others' and are lost where they meet the limit: small answers arrive, large ones do not.";
        "Give all of them the same EncapOverhead, 50 on an overlay network.";
        "hns-behaviour 5.5 (VXLAN's 50 bytes; calico#4682)";
    "port-published-twice" Error:
        "Two endpoints publish one port of the host.";
        "Only one of them gets the traffic.";
        "Publish one of them under another port.";
        "hns-behaviour 5.4; docker/for-win#3171";
    "internal-port-zero" Error:
        "A port mapping names no port of the container.";
        "HNS refuses it with 0x803b002d.";
        "Write the port on which the container listens.";
        "hns-behaviour 5.4";
    "mapping-protocol" Warning:
        "A port mapping is for a protocol other than TCP and UDP.";
        "WinNAT publishes ports of these two.";
        "Write 6 (TCP) or 17 (UDP).";
        "hns-behaviour 5.4";

    // Services.
    "dead-backend" Warning:
        "A load balancer names an endpoint that is not there.";
        "The share of the flows that it would get goes nowhere; where none of its endpoints is there, nobody answers (an error then), unless the load balancer was left behind and another one serves the same.";
        "Make the load balancer again with the endpoints that exist, or delete it where another one serves the address.";
        "kubernetes#110849, calico#11203";
    "no-backend" Error:
        "A load balancer has no endpoint.";
        "HNS makes none without; flows to one that lost them go nowhere, while the object looks fine.";
        "Give it backends, or delete it.";
        "hns-behaviour 5.6; kubernetes#110849";
    "no-service-ports" Error:
        "A load balancer has no port.";
        "There is nothing that it could balance: HNS refuses it, and clients that look at its first port stop.";
        "Give it PortMappings, or delete it.";
        "hns-behaviour 2.6, Q46";
    "service-port-zero" Error:
        "A port of a load balancer is missing or 0.";
        "HNS refuses it with 0x803b002d. Only lists of v1 with both ports 0 are known: they stand for the whole address.";
        "Write the port.";
        "hns-behaviour 5.6, Q47";
    "unreadable-vip" Error:
        "A virtual or source address of a load balancer is no IP address.";
        "HNS refuses it with 0x803b001e.";
        "Correct the address.";
        "hns-behaviour 2.6, 3.1";
    "backend-family" Warning:
        "A backend has no address of the virtual address's family.";
        "The share of the flows that it would get goes nowhere: IPv4 is not translated to IPv6.";
        "Leave the endpoint out, or give it an address of that family.";
        "hns-behaviour 2.6, 4.6";
    "preserve-dip-without-dsr" Warning:
        "A load balancer keeps the destination (PreserveDIP) and does not use direct server return.";
        "The one needs the other.";
        "Turn on direct server return, or leave the flag out.";
        "hns-behaviour 5.6";
    "service-twice" Warning:
        "Two load balancers serve one address, protocol and port.";
        "HNS refuses the second with 0x803b0013; where both are there, one was left behind, and flows may go to its backends.";
        "Delete the one whose endpoints are no longer those of the service.";
        "hns-behaviour 5.6 (kubernetes#137530)";
    "port-pool" Note:
        "More than 100 load balancers do without direct server return.";
        "Each takes a block of 64 of the host's ports; where none is left, HNS refuses the next load balancer with 0x803b0013. How many blocks there are, documents do not show.";
        "Turn on direct server return.";
        "hns-behaviour 5.6 (kubernetes#137530; the guide of EKS sees the risk above 100 services of a node)";
    "node-port-taken" Warning:
        "A load balancer serves a port of the host that an endpoint publishes.";
        "Only one of them gets the traffic.";
        "Publish the endpoint under another port.";
        "hns-behaviour 5.4, 5.6";
    "dns-service-one-protocol" Warning:
        "A virtual address has port 53 for one of TCP and UDP only.";
        "DNS needs UDP, and TCP for long answers; a missing half is a known way in which DNS dies on one node.";
        "Add the load balancer of the other protocol.";
        "kubernetes#100126";
    "dns-server-unserved" Warning:
        "An endpoint's DNS server is a service's address, and no load balancer serves it.";
        "Names are asked of an address that is on no machine: where the load balancer is missing on one node, DNS is dead there. Documents do not tell the range of services. An address counts as one of it where a load balancer has a virtual address with the same first 16 bits (of IPv6 108), and where it is in no subnet of the networks, no endpoint's, and not in the surroundings of the host's own address (the same bits), where resolvers of the site stand. Where load balancers serve other ports of the address, and none port 53, that is told as well.";
        "Make the load balancer of the DNS service again (restart kube-proxy), or correct the endpoint's DNS server.";
        "kubernetes#100126, #137381";
    "source-vip-missing" Warning:
        "A load balancer on an overlay network has no source address.";
        "Its flows leave with an address that the backends cannot answer.";
        "Make an endpoint for the source address, and name it as SourceVIP.";
        "kubernetes#100962, #96996";
    "source-vip-unknown" Warning:
        "A load balancer on an overlay network has a source address that no endpoint has.";
        "Nobody gets the answers of the backends.";
        "Make the endpoint of the source address again, or name one that is there.";
        "kubernetes#100962, #96996";
    "service-bypasses-rule" Warning:
        "An Out rule names backends of a service without direct server return, and not the service's address.";
        "Without direct server return the translation happens behind the port: the rule sees the virtual address and not the backend, so through the service it does not hold.";
        "Name the virtual address in the rule too, or turn on direct server return.";
        "hns-behaviour 4.6, Q9";
    "proxy-on-dsr-backend" Note:
        "A backend of a service with direct server return has a proxy policy.";
        "Both rewrite destinations on the same port; which comes first is not documented, and clients turn one of them off.";
        "Turn one of them off if answers get lost.";
        "kubernetes#103138, hcsshim#2571";
}

/// The page docs/lint.md.
pub fn page() -> String {
    let mut page = String::from(
        "# What `hcnctl lint` finds\n\n\
         `hcnctl lint` reads documents, from the open HNS or with `-f FILE` from a listing that somebody kept, and says what they contradict, leave open, or \
         turn into something else than they seem to say. It does not say that a network works: documents cannot show that. \
         `hcnctl lint --explain CHECK` prints the part of this page that a finding needs.\n\n\
         Severities: an *error* is refused by HNS, without effect, or opens or cuts more than it says; a *warning* is probably not meant; a *note* may well be. \
         The exit code is 1 where there are findings of the severity of `--fail-on` or above (error, unless said). In a file of JSON each finding tells the line and \
         column of the object or member that it is about, or of the object in which a member is missing. What is computed over all packets \
         holds for the rules of the profile (`--profile`), see [hns-behaviour.md](hns-behaviour.md).\n\n\
         Where a finding has a fix in JSON, it is a JSON Patch (RFC 6902) of the object's document, and `flows` says what it does: `unchanged` means that the port \
         lets pass exactly the same packets as before, compared as sets. A patch is for the document as it was read: make one of an object's, then \
         examine it again, since what is taken out of a list moves all that stands behind it. The column *patch* says of which checks a finding may have \
         one: where the document leaves no choice what to write. The others take a decision, and their fix is in words. So is that of a rule which a \
         policy file declares or `hcnctl block` and `allow` wrote, and of one that leaves its work to such a rule: its owner takes it back one day, and what a patch \
         had left to it would go with it.\n\n\
         What documents do not show, and so no check says: whether a container lives (an endpoint without one may be kept on purpose; only \
         a namespace that is gone is certain), the MTU of cards and of the wire (only what endpoints reserve beneath it), routes and firewalls of the host, \
         whether a load balancer was programmed, and what other nodes have. `hcnctl probe` and the host's own tools show these.\n\n\
         This page is written from the table in `crates/hcnctl/src/lint/table.rs`; a test compares them.\n\n\
         | check | severity | patch | finds |\n|---|---|---|---|\n",
    );
    for check in CHECKS {
        let _ = writeln!(
            page,
            "| [`{0}`](#{0}) | {1} | {2} | {3} |",
            check.name,
            check.severity,
            if PATCHED.contains(&check.name) {
                "yes"
            } else {
                ""
            },
            check.finds
        );
    }
    for check in CHECKS {
        let _ = write!(page, "\n## {}\n\n{}", check.name, check.text());
    }
    page
}

impl Check {
    /// All that there is to say of it.
    pub fn text(&self) -> String {
        format!(
            "{} ({})\n\n{}\n\nFix: {}\n\nSource: {}.\n",
            self.finds, self.severity, self.why, self.fix, self.source
        )
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        for (place, check) in CHECKS.iter().enumerate() {
            let fits = |letter: char| letter.is_ascii_lowercase() || letter == '-';
            assert!(check.name.chars().all(fits), "{}", check.name);
            let same = CHECKS.iter().position(|other| other.name == check.name);
            assert_eq!(same, Some(place), "{}", check.name);
            assert!(!check.finds.contains('|'), "{}", check.name);
            for sentence in [check.finds, check.why, check.fix] {
                assert!(sentence.ends_with('.'), "{}: {sentence}", check.name);
            }
        }
    }

    #[test]
    fn the_page_of_the_docs_is_the_table() {
        let path = testkit::repository().join("docs/lint.md");
        if env::var_os("HCNCTL_BLESS").is_some() {
            fs::write(&path, page()).unwrap();
        }
        assert_eq!(fs::read_to_string(path).unwrap(), page());
    }
}
