// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arguments of `reach`. Doc comments are the help texts.

use clap::{Args, ValueEnum};

use crate::commands::spec::TrafficSpec;

#[derive(Debug, Args)]
#[command(
    after_help = "Sets are exact: every protocol and port of the first packet of a flow that gets there, along the ways that can and why find: \
                  routes between networks, load balancers (every backend has to let it in; what some of them let in and others not is told by itself), published ports, and the rules of each port on the way.\n\
                  host is this host (an endpoint that is called host or outside is named by its id), outside every address that nobody here has, but for the subnets of NAT and Internal networks, where nobody else can be. A service is a destination: an address of a load balancer. \
                  Whether anybody listens is not asked (probe tries that), nor SDN routes, nor what lies beyond the host.\n\
                  A file that lacks a network of its endpoints says nothing about ways: then rules alone are asked, as with --rules."
)]
pub struct ReachArgs {
    /// Only from these: an endpoint or container by any of its names, host, outside, an address, or a prefix with all that is in it; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub from: Vec<String>,
    /// Only to these; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub to: Vec<String>,
    /// Only this traffic: 80/tcp, 8000-8080/udp, tcp, icmp, protocol/47 (an IP protocol by its number); may be repeated.
    #[arg(long, value_name = "TRAFFIC")]
    pub port: Vec<TrafficSpec>,
    /// Ask rules alone: as if everybody had a way to everybody, without host and services.
    #[arg(long)]
    pub rules: bool,
    /// What to look at: now, a moment @N of history, or a file with a listing of networks and endpoints as diff takes it (- for standard input).
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "now",
        conflicts_with = "compare"
    )]
    pub of: String,
    /// Compare two of those, and tell what became reachable and what not; exit code 1 where anything did. profile:16.0 is the other side under that version of HNS, profile:tie=first-wins with a switch set (see --profile).
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"])]
    pub compare: Option<Vec<String>>,
    /// How to print; a comparison as table, json or csv.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: ReachOutput,
}

/// How to print who reaches whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReachOutput {
    /// For people: a line for those of one source that it reaches with the same.
    #[default]
    Table,
    /// For programs: every pair of addresses (docs/schema/reach.json, reach-compare.json).
    Json,
    /// For spreadsheets: a line for every pair of addresses.
    Csv,
    /// A picture of the matrix.
    Svg,
    /// A page to look at: the matrix, and behind each cell why it is so.
    Html,
}
