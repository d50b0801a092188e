// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments of the commands that judge single flows: `can` and `why`.
//!
//! Apart because they ask alike. Whatever one understands, the other does too.

use std::path::PathBuf;

use clap::Args;

use super::ProbeOutput;
use crate::commands::spec::DestinationSpec;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 allowed, 1 blocked or unreachable, 2 a question that has no answer, 3 a name that means nothing, 4 HNS failed."
)]
pub struct CanArgs {
    /// Who sends: an endpoint, a container, an address, or "host".
    pub from: String,
    /// To whom: nginx:80/tcp, 172.19.6.74:53/udp, [fd00::5]:80/tcp, host:8080/tcp, nginx/icmp, nginx/protocol/47, or a load
    /// balancer's address, name or id (svc:80/tcp).
    pub to: DestinationSpec,
    /// The sender's port. Without it, one that systems choose themselves (49152 and up), and the answer says from which ports it would be
    /// another one.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub source_port: Option<u16>,
    /// Of what: now, a moment as history lists them (@13), or a file with a listing, e.g. of Get-HnsEndpoint as JSON; - is standard input.
    #[arg(long, value_name = "OF", default_value = "now")]
    pub of: String,
    /// Print nothing: the exit code tells.
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 allowed, 1 blocked or unreachable, 2 a question that has no answer, 3 a name that means nothing, 4 HNS failed."
)]
pub struct WhyArgs {
    /// Who sends: an endpoint, a container, an address, or "host".
    #[arg(required_unless_present = "packet", requires = "to")]
    pub from: Option<String>,
    /// To whom: nginx:80/tcp, 172.19.6.74:53/udp, [fd00::5]:80/tcp, host:8080/tcp, nginx/icmp, nginx/protocol/47, or a load
    /// balancer's address, name or id (svc:80/tcp).
    pub to: Option<DestinationSpec>,
    /// The sender's port. Without it, one that systems choose themselves (49152 and up), and the answer says from which ports it would be
    /// another one.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub source_port: Option<u16>,
    /// Of what: now, a moment as history lists them (@13), or a file with a listing, e.g. of Get-HnsEndpoint as JSON; - is standard input.
    #[arg(long, value_name = "OF", default_value = "now")]
    pub of: String,
    /// Answer for each packet of a capture instead: a pcap or pcapng file, or - for standard input. A packet that is of a flow allowed before
    /// passes, as long as HNS remembers the flow: by the times in the capture, until it was idle for flow-idle-ms of the profile (240 s) or its TCP
    /// connection is over. Of one in VXLAN, the inner one is judged. Exit code 0: all that are judged are allowed; 1: some are not; 3: none is judged.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "source_port"])]
    pub packet: Option<PathBuf>,
    /// Print for people or for programs (docs/schema/why.json, docs/schema/why-packet.json).
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: ProbeOutput,
}
