// SPDX-License-Identifier: MIT OR Apache-2.0
//! Regions as people read them: a list of cells, each a product of what its five axes may be.
//!
//! Apart because a diagram is made for machines. The cells of a region do not overlap, and together they are the region.

use std::{
    fmt::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{Axis, Region, Space};
use crate::flow::{Family, Flow, Protocol};

/// First and last port.
pub type PortSpan = (u16, u16);

/// Packets whose every axis has one of the values listed for it, whatever the others have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// Source addresses, first and last of each interval.
    pub sources: Vec<(IpAddr, IpAddr)>,
    /// Destination addresses.
    pub destinations: Vec<(IpAddr, IpAddr)>,
    /// Protocols, first and last number of each interval.
    pub protocols: Vec<(u8, u8)>,
    /// Destination ports; all of them also where the protocol has none.
    pub destination_ports: Vec<PortSpan>,
    /// Source ports; all of them also where the protocol has none.
    pub source_ports: Vec<PortSpan>,
}

/// Intervals of one axis.
type Spans = Vec<(u128, u128)>;

impl Space {
    /// The cells of a region.
    pub fn cells(&self, region: Region) -> Vec<Cell> {
        let axes = [
            Axis::Source,
            Axis::Destination,
            Axis::Protocol,
            Axis::DestinationPort,
            Axis::SourcePort,
        ];
        let mut cells = Vec::new();
        self.walk(region, &axes, &mut Vec::new(), &mut cells);
        cells
    }

    /// A packet of a region, the lowest on each axis; `None` for the empty region. Unlike the cells, it costs no more for a large region.
    pub fn example(&self, region: Region) -> Option<Flow> {
        let lowest = self.address(0);
        let mut flow = Flow {
            source: lowest,
            destination: lowest,
            protocol: Protocol(0),
            source_port: 0,
            destination_port: 0,
        };
        let mut at = region;
        while let Some(node) = self.node(at) {
            let mut first = 0u128;
            for (last, child) in node.edges.iter() {
                if *child != Region::EMPTY {
                    at = *child;
                    break;
                }
                first = last.saturating_add(1);
            }
            // A value of an axis fits its type: no node has more.
            match node.axis {
                Axis::Source => flow.source = self.address(first),
                Axis::Destination => flow.destination = self.address(first),
                Axis::Protocol => flow.protocol = Protocol(first as u8),
                Axis::DestinationPort => flow.destination_port = first as u16,
                Axis::SourcePort => flow.source_port = first as u16,
            }
        }
        (at == Region::FULL).then_some(flow)
    }

    fn walk(&self, at: Region, axes: &[Axis], above: &mut Vec<Spans>, cells: &mut Vec<Cell>) {
        if at == Region::EMPTY {
            return;
        }
        let Some((axis, below)) = axes.split_first() else {
            cells.push(self.cell(above));
            return;
        };
        let mut groups: Vec<(Region, Spans)> = Vec::new();
        let mut next = 0u128;
        for (last, child) in self.intervals(at, *axis).iter() {
            let span = (next, *last);
            next = last.saturating_add(1);
            match groups.iter_mut().find(|(other, _)| other == child) {
                Some((_, spans)) => spans.push(span),
                None => groups.push((*child, vec![span])),
            }
        }
        for (child, spans) in groups {
            above.push(spans);
            self.walk(child, below, above, cells);
            above.pop();
        }
    }

    fn cell(&self, spans: &[Spans]) -> Cell {
        let addresses = |axis: usize| {
            let ends = spans[axis].iter();
            ends.map(|(first, last)| (self.address(*first), self.address(*last)))
                .collect()
        };
        // Values of an axis fit its type: no node has more.
        let ports = |axis: usize| {
            let ends = spans[axis].iter();
            ends.map(|(first, last)| (*first as u16, *last as u16))
                .collect()
        };
        Cell {
            sources: addresses(0),
            destinations: addresses(1),
            protocols: spans[2]
                .iter()
                .map(|(first, last)| (*first as u8, *last as u8))
                .collect(),
            destination_ports: ports(3),
            source_ports: ports(4),
        }
    }

    pub(super) fn address(&self, number: u128) -> IpAddr {
        match self.family {
            Family::V4 => Ipv4Addr::from(number as u32).into(),
            Family::V6 => Ipv6Addr::from(number).into(),
        }
    }
}

impl Cell {
    /// A packet of the cell: the first value of each axis.
    pub fn first(&self) -> Option<Flow> {
        Some(Flow {
            source: self.sources.first()?.0,
            destination: self.destinations.first()?.0,
            protocol: Protocol(self.protocols.first()?.0),
            source_port: self.source_ports.first()?.0,
            destination_port: self.destination_ports.first()?.0,
        })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let every: [(IpAddr, IpAddr); 2] = [
            (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into()),
            (
                Ipv6Addr::UNSPECIFIED.into(),
                Ipv6Addr::from(u128::MAX).into(),
            ),
        ];
        let address = |spans: &[(IpAddr, IpAddr)]| match spans {
            [span] if every.contains(span) => "any".to_owned(),
            spans => listed(spans, |address, text| {
                let _ = write!(text, "{address}");
            }),
        };
        write!(
            f,
            "{} -> {} {}",
            address(&self.sources),
            address(&self.destinations),
            self.plain_service()
        )
    }
}

/// `a,b-c`.
pub(super) fn listed<T: Copy + PartialEq>(
    spans: &[(T, T)],
    write: impl Fn(T, &mut String),
) -> String {
    let mut text = String::new();
    for (first, last) in spans {
        if !text.is_empty() {
            text.push(',');
        }
        write(*first, &mut text);
        if first != last {
            text.push('-');
            write(*last, &mut text);
        }
    }
    text
}
