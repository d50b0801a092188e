// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line. The doc comments are the help texts, so structs of arguments have none: their command has.
#![expect(
    missing_docs,
    reason = "a doc comment on a struct of arguments would become help text"
)]

pub mod apply;
mod lint;
pub mod profile;
mod reach;
mod why;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hcn::{Target, service::profile::ProfileChoice};
pub use lint::{FailOn, LintArgs, LintOutput};
pub use reach::{ReachArgs, ReachOutput};

pub use why::{CanArgs, WhyArgs};

/// See, change, test and explain the network connectivity and policy of Windows containers.
///
/// Works against an embedded HNS (the Host Networking Service of Windows) that keeps its state in a directory and whose packets are simulated.
/// Exit codes: 0 done; 1 denied or different; 2 usage; 3 not found; 4 HNS error.
#[derive(Debug, Parser)]
#[command(
    name = "hcnctl",
    version,
    max_term_width = 110,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which HNS, and whether to change it")]
pub struct Globals {
    /// Which HNS: native (the one of Windows), native:LIBRARY, embedded, embedded:DIRECTORY, or a running hcnctl serve: unix:PATH, http://HOST:PORT (token in HCNCTL_TOKEN).
    #[arg(long, global = true, env = "HCNCTL_HOST", value_name = "TARGET")]
    pub host: Option<Target>,
    /// Directory in which the embedded HNS keeps its store, and hcnctl the containers beside an HNS that keeps none.
    #[arg(long, global = true, env = "HCNCTL_STATE", value_name = "DIR")]
    pub state: Option<std::ffi::OsString>,
    /// Version of HNS to behave as: 9.2, 13.3, 15.0, 15.4 or 16.0. A new store keeps it (15.0 unless said); on another store it holds for this command. Switches of it may follow, or stand alone, and hold for this command: 15.0,tie=first-wins. help lists them.
    #[arg(long, global = true, env = "HCNCTL_PROFILE", value_name = "VERSION,NAME=VALUE,…", value_parser = profile::Parser)]
    pub profile: Option<ProfileChoice>,
    /// Print the requests that would be sent, and send none.
    #[arg(long, global = true)]
    pub dry_run: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List networks, endpoints, namespaces or policies.
    Get(GetArgs),
    /// Show one network, endpoint or namespace in full, or its policies in words.
    Describe(DescribeArgs),
    /// Create a network, endpoint or namespace, or what a document says.
    Create(CreateArgs),
    /// Delete networks, endpoints or namespaces.
    Delete(DeleteArgs),
    /// Make a simulated container: an endpoint, a namespace, and what listens in it.
    Run(RunArgs),
    /// Remove simulated containers with their endpoints.
    Rm(RmArgs),
    /// List simulated containers.
    Ps(PsArgs),
    /// Send ACL requests to an endpoint as HNS has them: Add, Update, Remove.
    Acl(AclArgs),
    /// Block traffic of an endpoint, and nothing else.
    Block(IntentArgs),
    /// Allow traffic of an endpoint again.
    Allow(IntentArgs),
    /// Show what apply would send, and which flows that opens and closes: at endpoints, and between endpoints, the host and services along the ways that packets take.
    Plan(apply::PlanArgs),
    /// Make the rules of endpoints what a policy file says, all of them or none.
    Apply(apply::ApplyArgs),
    /// Keep the change that a waiting apply has made.
    Confirm(apply::ConfirmArgs),
    /// Try whether traffic gets through: a whole exchange, and the rule that stops it.
    Probe(ProbeArgs),
    /// Show who reaches whom with what: every pair, every protocol and port.
    Reach(ReachArgs),
    /// Say whether a flow is allowed: exit code 0 or 1.
    Can(CanArgs),
    /// Say why a flow is allowed or not: each rule on its way, and what would change the answer.
    Why(WhyArgs),
    /// Compare two listings, or two moments.
    Diff(DiffArgs),
    /// Find what is wrong, doubtful or without effect in rules, sets, networks and services, and how to put it right.
    Lint(LintArgs),
    /// List what was changed, by whom, and when; an embedded HNS keeps that log.
    History(HistoryArgs),
    /// Answer programs on this machine over HTTP: the API of HNS, versions 1 and 2, and its events.
    Serve(ServeArgs),
    /// Let the HNS sit an exam: some 650 small cases in networks of its own, which it takes away again.
    Conformance(ConformanceArgs),
    /// Tell the whole story: two containers, a block, an allow, and what changes.
    Demo(DemoArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
}

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Columns that fit on a terminal.
    #[default]
    Table,
    /// All columns.
    Wide,
    /// As Get-HnsEndpoint and Get-HnsNetwork print.
    List,
    /// Documents of the v2 API (HCN).
    Json,
    /// Documents of the v1 API (HNS).
    JsonV1,
    /// Documents of the v2 API as YAML.
    Yaml,
    /// Kind and id, one a line.
    Name,
}

/// Kinds of objects that can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Noun {
    /// Networks.
    #[value(name = "networks", alias = "network", alias = "net")]
    Networks,
    /// Endpoints.
    #[value(name = "endpoints", alias = "endpoint", alias = "ep")]
    Endpoints,
    /// Namespaces.
    #[value(name = "namespaces", alias = "namespace", alias = "ns")]
    Namespaces,
    /// Policies of networks and endpoints.
    #[value(name = "policies", alias = "policy", alias = "pol")]
    Policies,
}

#[derive(Debug, Args)]
pub struct GetArgs {
    /// What to list.
    pub noun: Noun,
    /// Only these, by id, id prefix, name, container or address.
    pub names: Vec<String>,
    /// Only endpoints and policies on this network.
    #[arg(long, value_name = "NETWORK")]
    pub network: Option<String>,
    /// Filter of HNS: a JSON object that documents must match, e.g. '{"State": 2}'.
    #[arg(long, value_name = "JSON")]
    pub filter: Option<String>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// Kind of the object.
    pub noun: Noun,
    /// Its id, id prefix, name, container or address.
    pub name: String,
}

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct CreateArgs {
    /// A JSON document, or a list of them; - reads standard input. A document with HostComputeNetwork or VirtualNetwork is an endpoint.
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Kind of the documents, where they do not tell themselves.
    #[arg(long, value_enum, requires = "file")]
    pub kind: Option<Noun>,
    /// Network of the endpoints in the file, where they do not name it.
    #[arg(long, requires = "file", value_name = "NETWORK")]
    pub network: Option<String>,
    #[command(subcommand)]
    pub object: Option<CreateObject>,
}

#[derive(Debug, Subcommand)]
pub enum CreateObject {
    /// Create a network.
    Network {
        /// Its name.
        name: String,
        /// NAT, Transparent, L2Bridge, L2Tunnel, Overlay, Internal, Private or ICS.
        #[arg(long = "type", default_value = "NAT", value_name = "TYPE")]
        network_type: String,
        /// Subnet as CIDR; a NAT network without one gets a free /20.
        #[arg(long, value_name = "CIDR")]
        subnet: Option<String>,
        /// Gateway; the first host address unless said.
        #[arg(long, requires = "subnet", value_name = "ADDRESS")]
        gateway: Option<String>,
        /// DNS servers, joined by commas.
        #[arg(long, value_delimiter = ',', value_name = "ADDRESS")]
        dns: Vec<String>,
        /// DNS suffix.
        #[arg(long, value_name = "DOMAIN")]
        dns_suffix: Option<String>,
        /// Its id; chosen unless said.
        #[arg(long, value_name = "GUID")]
        id: Option<hcn::schema::Guid>,
    },
    /// Create an endpoint on a network.
    Endpoint {
        /// Its name; "Ethernet" unless said.
        name: Option<String>,
        /// The network.
        #[arg(long, value_name = "NETWORK")]
        network: String,
        /// Address; a free one unless said.
        #[arg(long, value_name = "ADDRESS")]
        address: Option<String>,
        /// MAC address; one of the network's pool unless said.
        #[arg(long, value_name = "MAC")]
        mac: Option<String>,
        /// Its id; chosen unless said.
        #[arg(long, value_name = "GUID")]
        id: Option<hcn::schema::Guid>,
    },
    /// Create a namespace.
    Namespace {
        /// Host, HostDefault, Guest or GuestDefault.
        #[arg(long = "type", default_value = "Host", value_name = "TYPE")]
        namespace_type: String,
        /// Its id; chosen unless said.
        #[arg(long, value_name = "GUID")]
        id: Option<hcn::schema::Guid>,
    },
}

#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Kind of the objects.
    pub noun: Noun,
    /// Which, by id, id prefix, name, container or address.
    #[arg(required = true)]
    pub names: Vec<String>,
}

/// How a container gets its endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Attach {
    /// In a namespace, as containerd and CNI do.
    #[default]
    Namespace,
    /// Attached by the v1 API without a namespace, as docker does.
    Docker,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Name of the container; also its endpoint's unless said.
    #[arg(long)]
    pub name: String,
    /// The network.
    #[arg(long, default_value = "nat", value_name = "NETWORK")]
    pub network: String,
    /// A port on which the container listens, e.g. 80/tcp or 53/udp; may be repeated.
    #[arg(long, value_name = "PORT/PROTOCOL")]
    pub listen: Vec<crate::commands::spec::PortSpec>,
    /// Publish a port of the host, e.g. 8080:80/tcp; may be repeated.
    #[arg(long, value_name = "HOST:CONTAINER/PROTOCOL")]
    pub publish: Vec<crate::commands::spec::PublishSpec>,
    /// Address; a free one unless said.
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// MAC address; one of the network's pool unless said.
    #[arg(long, value_name = "MAC")]
    pub mac: Option<String>,
    /// Id of the endpoint; chosen unless said.
    #[arg(long, value_name = "GUID")]
    pub endpoint_id: Option<hcn::schema::Guid>,
    /// Name of the endpoint.
    #[arg(long, value_name = "NAME")]
    pub endpoint_name: Option<String>,
    /// Id of the container, 64 hexadecimal digits; chosen unless said.
    #[arg(long, value_name = "ID")]
    pub container_id: Option<String>,
    /// How the container gets its endpoint.
    #[arg(long, value_enum, default_value_t)]
    pub attach: Attach,
    /// An endpoint that is there, made by a CNI plugin or a runtime: only somebody who answers on it is added, and rm leaves it alone.
    #[arg(
        long,
        value_name = "ENDPOINT",
        conflicts_with_all = ["network", "publish", "address", "mac", "endpoint_id", "endpoint_name", "attach"]
    )]
    pub endpoint: Option<String>,
}

#[derive(Debug, Args)]
pub struct RmArgs {
    /// Names of containers.
    #[arg(required = true)]
    pub names: Vec<String>,
}

#[derive(Debug, Args)]
pub struct PsArgs {
    /// How to print: table, wide, json or name.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct AclArgs {
    #[command(subcommand)]
    pub verb: AclVerb,
}

#[derive(Debug, Subcommand)]
pub enum AclVerb {
    /// List the rules of an endpoint, in the order in which HNS keeps them.
    List {
        /// The endpoint: id, id prefix, name, container or address.
        endpoint: String,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Append rules (RequestType Add). HNS does not look for doubles.
    Add(AclRules),
    /// Replace all rules by these (RequestType Update).
    Set(AclRules),
    /// Take rules away (RequestType Remove). HNS compares every member, Scope included, and ignores what matches nothing.
    Remove(AclRules),
    /// Take all rules away (RequestType Update without policies).
    Clear {
        /// The endpoint: id, id prefix, name, container or address.
        endpoint: String,
        /// Only the rules that block and allow made.
        #[arg(long)]
        owned: bool,
    },
}

#[derive(Debug, Args)]
pub struct AclRules {
    /// The endpoint: id, id prefix, name, container or address.
    pub endpoint: String,
    /// Rules as listings show them, e.g. 'Action=Block; Direction=In; LocalPorts=80; Protocols=6; Priority=100'.
    #[arg(required_unless_present = "file", value_name = "RULE")]
    pub rules: Vec<String>,
    /// A JSON file with a list of rules, or of policies; - reads standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with = "rules")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("direction").required(true).args(["inbound", "outbound"]))]
pub struct IntentArgs {
    /// The endpoint: id, id prefix, name, container or address.
    pub endpoint: String,
    /// What comes in: 80/tcp, 8000-8080/udp, tcp, icmp, protocol/47 (an IP protocol by its number) or any.
    #[arg(long = "in", value_name = "TRAFFIC")]
    pub inbound: Option<crate::commands::spec::TrafficSpec>,
    /// What goes out, by the port of the other side.
    #[arg(long = "out", value_name = "TRAFFIC")]
    pub outbound: Option<crate::commands::spec::TrafficSpec>,
    /// Only from this address, CIDR, endpoint or container.
    #[arg(long, value_name = "PEER", conflicts_with = "outbound")]
    pub from: Option<String>,
    /// Only to this address, CIDR, endpoint or container.
    #[arg(long, value_name = "PEER", conflicts_with = "inbound")]
    pub to: Option<String>,
}

#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Who asks: an endpoint, a container, or "host".
    pub from: String,
    /// Whom, and where: nginx:80/tcp, 172.19.6.74:53/udp, [fd00::5]:80/tcp or nginx/icmp.
    pub to: crate::commands::spec::DestinationSpec,
    /// Whose packets: simulated through the rules that HNS has, or real ones of this Windows, sent from inside the container's compartment. Unless said, real ones where the HNS is Windows's own and neither side is a simulated container.
    #[arg(long, value_enum)]
    pub packets: Option<Packets>,
    /// How long to wait, in milliseconds; of simulated time, where the packets are simulated.
    #[arg(long, default_value_t = 3000, value_name = "MS")]
    pub timeout: u64,
    /// How to print.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: ProbeOutput,
}

/// Whose packets a probe sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Packets {
    /// Those of hcnctl's own switch.
    Simulated,
    /// Those of the system.
    Real,
}

/// How to print a probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProbeOutput {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A file (JSON, -o list, or a capture of Get-HnsEndpoint), - for standard input, a moment @N of an embedded HNS's history, or now.
    #[arg(required_unless_present = "file")]
    pub before: Option<String>,
    /// The same; now unless said.
    #[arg(default_value = "now")]
    pub after: String,
    /// Compare the endpoints with what apply would make of them by this policy file, and say which flows that opens and closes.
    #[arg(short, long, value_name = "FILE", conflicts_with = "before")]
    pub file: Option<PathBuf>,
    /// Also what always differs: health, times, allocation trees.
    #[arg(long)]
    pub all: bool,
    /// How to print.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: ProbeOutput,
}

#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Only of this endpoint, network or namespace; also by the id of one that is gone.
    pub object: Option<String>,
    /// How many of the last operations.
    #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT")]
    pub last: usize,
    /// How to print: table, wide or json.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// unix:PATH, or 127.0.0.1:PORT (0 chooses one); a socket in the state directory unless said.
    #[arg(long, value_name = "WHERE")]
    pub listen: Option<crate::serve::Listen>,
    /// Where to write the token that clients on TCP have to show; only its owner can read the file.
    #[arg(long, env = "HCNCTL_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Print the OpenAPI document of the service, and serve nothing.
    #[arg(long)]
    pub openapi: bool,
}

#[derive(Debug, Args)]
pub struct ConformanceArgs {
    /// Only cases with this in their name, or of this section: 4.10, 2, namespace.
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// Make networks that take an adapter of the host too (Transparent, L2Bridge, L2Tunnel, Overlay). The host may be off the network for
    /// some seconds each time. Only the HNS of a Windows host has to be told; an embedded one has no adapters.
    #[arg(long)]
    pub external: bool,
    /// Write a report in Markdown to this file: what differs, and which open questions are settled.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How to print.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: ExamOutput,
}

/// How to print an exam.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExamOutput {
    /// The sum, what differs, and the counts.
    #[default]
    Text,
    /// A line for every case too.
    Wide,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Use the ids, addresses and MAC addresses of the walk-through that the project started from.
    #[arg(long)]
    pub seed_ids: bool,
    /// Keep the state directory, or what was made on --host native, so that its commands can be repeated by hand.
    #[arg(long)]
    pub keep: bool,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}
