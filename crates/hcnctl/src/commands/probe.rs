// SPDX-License-Identifier: MIT OR Apache-2.0
//! `probe`: a real exchange through the simulated switch, or through the one of Windows, and what came of it.
//!
//! Invariant: whose packets it was is said, unless they were simulated as usual.

mod real;

use std::{net::IpAddr, sync::Arc};

use hcn::{
    Target,
    schema::{Endpoint, Guid, Id, Query},
};
use hcn_engine::{
    DataPlane, Documents, Probe, ProbeOutcome, ProbeReport, ProbeSource, Protocol, Semantics,
    Start, Switch, data_plane::Drop, why::Inquiry,
};
use hcn_simulated::{Service, SimulatedNetwork};
use serde_json::{Value, json};

use crate::{
    cli::{Packets, ProbeArgs, ProbeOutput},
    commands::{
        spec::DestinationSpec,
        why::{NO_HOST_ADDRESS, host_words, like_sender},
    },
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lookup::{addresses, guid},
    render::{rule, short_id},
};

/// Who takes part, with the name to print.
struct Party {
    label: String,
    endpoint: Option<Endpoint>,
}

/// What is printed of an exchange.
struct Told<'a> {
    from: &'a str,
    to: &'a str,
    /// Address, port and protocol.
    place: String,
    /// Of the destination.
    destination: IpAddr,
    host_beside: Vec<IpAddr>,
}

/// Whom it is sent to.
struct Destination {
    label: String,
    address: IpAddr,
    /// Other addresses of the host, where it is asked for by its name.
    host_beside: Vec<IpAddr>,
}

impl Destination {
    fn new(label: String, address: IpAddr) -> Self {
        Destination {
            label,
            address,
            host_beside: Vec::new(),
        }
    }
}

/// Tries an exchange.
pub fn run(desk: &mut Desk<'_>, args: &ProbeArgs) -> Outcome {
    if !matches!(
        args.to.protocol,
        Protocol::TCP | Protocol::UDP | Protocol::ICMP
    ) {
        return Err(Failure::Usage(format!(
            "probe sends TCP, UDP and ICMP; ask hcnctl why about {}",
            args.to.protocol
        )));
    }
    let source = party(desk, &args.from)?;
    let Destination {
        label,
        address: destination,
        host_beside,
    } = destination(desk, &args.to, &source)?;
    let protocol = match (args.to.protocol, destination) {
        (Protocol::ICMP, IpAddr::V6(_)) => Protocol::ICMPV6,
        (protocol, _) => protocol,
    };
    let probe = Probe {
        source: source
            .endpoint
            .as_ref()
            .map_or(ProbeSource::Host, |endpoint| {
                ProbeSource::Endpoint(guid(endpoint.id.get()))
            }),
        destination,
        protocol,
        port: args.to.port,
        payload: match protocol {
            Protocol::TCP => format!(
                "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                args.to.name
            )
            .into_bytes(),
            _ => b"hcnctl probe".to_vec(),
        },
        timeout_ms: args.timeout,
    };
    let told = Told {
        from: &source.label,
        to: &label,
        place: if protocol.has_ports() {
            format!(
                "{}/{protocol}",
                std::net::SocketAddr::new(destination, args.to.port)
            )
        } else {
            format!("{destination}/{protocol}")
        },
        destination,
        host_beside,
    };
    let outcome = match packets(desk, args, &source, destination)? {
        Packets::Simulated => simulated(desk, args, &probe, &told)?,
        Packets::Real => {
            let real = real::probe(desk, source.endpoint.as_ref(), &probe)?;
            match args.output {
                ProbeOutput::Text => {
                    told.print_outcome(desk, args, &real.outcome)?;
                    let number = real.compartment;
                    writeln!(desk.out, "  real packets, sent from compartment {number}")?;
                }
                ProbeOutput::Json => {
                    let page = told.page(&real.outcome);
                    let rest = json!({"wire": "real", "compartment": real.compartment, "packets": null, "drops": []});
                    print_json(desk, page, rest)?;
                }
            }
            real.outcome
        }
    };
    Ok(match outcome {
        ProbeOutcome::Answered { .. } => exit::DONE,
        ProbeOutcome::Refused | ProbeOutcome::TimedOut | ProbeOutcome::Unreachable => exit::DENIED,
    })
}

/// Whose packets are sent. Unless said: real ones on Windows's own HNS, where neither side is a simulated container, which no packet of Windows
/// could leave or reach.
fn packets(
    desk: &Desk<'_>,
    args: &ProbeArgs,
    source: &Party,
    destination: IpAddr,
) -> Result<Packets, Failure> {
    if let Some(chosen) = args.packets {
        return Ok(chosen);
    }
    if !cfg!(windows) || !matches!(desk.target(), Target::Native(_)) {
        return Ok(Packets::Simulated);
    }
    let endpoints = desk
        .client()
        .endpoints(&Query::v2())
        .map_err(Failure::hns("list the endpoints"))?;
    let text = destination.to_string();
    let sides: Vec<Guid> = endpoints
        .iter()
        .filter(|endpoint| addresses(endpoint).contains(&text))
        .chain(&source.endpoint)
        .map(|endpoint| guid(endpoint.id.get()))
        .collect();
    let containers = desk.containers()?;
    let is_simulated = containers
        .iter()
        .any(|container| sides.contains(&container.endpoint));
    Ok(if is_simulated {
        Packets::Simulated
    } else {
        Packets::Real
    })
}

/// Sends it through the switch that the documents compile to.
fn simulated(
    desk: &mut Desk<'_>,
    args: &ProbeArgs,
    probe: &Probe,
    told: &Told<'_>,
) -> Result<ProbeOutcome, Failure> {
    let documents = documents(desk)?;
    let semantics = desk
        .connection()
        .profile()
        .map_err(Failure::hns("read the version of HNS"))?
        .semantics;
    let (switch, faults) = Switch::compile(&documents, &semantics);
    for fault in &faults {
        desk.say(&format!(
            "note: {} {} is left out: {}",
            short_id(&fault.object.to_string()),
            fault.pointer,
            fault.message
        ))?;
    }
    let mut wire = SimulatedNetwork::new();
    let cannot = |error: hcn_engine::DataPlaneError| {
        Failure::Usage(format!("the probe cannot be sent: {error}"))
    };
    wire.converge(Arc::new(switch)).map_err(cannot)?;
    for container in desk.containers()? {
        for listen in &container.listeners {
            let protocol = Protocol(listen.protocol);
            let service = match protocol {
                Protocol::TCP => Service::Http {
                    body: format!("<h1>Welcome to {}!</h1>\n", container.name)
                        .into_bytes()
                        .into(),
                },
                _ => Service::Echo,
            };
            // An endpoint that is gone, or remote, has no machine to listen in.
            if wire
                .listen(container.endpoint, protocol, listen.port, service)
                .is_err()
            {
                desk.say(&format!(
                    "note: nothing listens in {}: its endpoint is gone",
                    container.name
                ))?;
            }
        }
    }
    let report = wire.probe(probe).map_err(cannot)?;
    match args.output {
        ProbeOutput::Text => {
            told.print_outcome(desk, args, &report.outcome)?;
            print_drops(desk, &documents, &report)?;
        }
        ProbeOutput::Json => {
            let rest =
                json!({"wire": "simulated", "packets": report.packets, "drops": drops(&report)});
            print_json(desk, told.page(&report.outcome), rest)?;
        }
    }
    Ok(report.outcome)
}

/// Everything that a switch is made from, by the seam.
fn documents(desk: &Desk<'_>) -> Result<Documents, Failure> {
    let networks = desk
        .client()
        .networks(&Query::v2())
        .map_err(Failure::hns("list the networks"))?;
    let endpoints = desk
        .client()
        .endpoints(&Query::v2())
        .map_err(Failure::hns("list the endpoints"))?;
    Ok(Documents {
        networks,
        endpoints,
        ..Documents::default()
    })
}

fn party(desk: &Desk<'_>, name: &str) -> Result<Party, Failure> {
    if name == "host" {
        return Ok(Party {
            label: "the host".to_owned(),
            endpoint: None,
        });
    }
    let endpoint = desk.endpoint(name)?;
    Ok(Party {
        label: desk.endpoint_label(&endpoint)?,
        endpoint: Some(endpoint),
    })
}

/// The address to ask, of the source's family where there is a choice.
fn destination(
    desk: &Desk<'_>,
    to: &DestinationSpec,
    source: &Party,
) -> Result<Destination, Failure> {
    if to.name == "host" {
        return host(desk, source);
    }
    if let Ok(address) = to.name.parse::<IpAddr>() {
        return Ok(Destination::new(to.name.clone(), address));
    }
    let endpoint = desk.endpoint(&to.name)?;
    let address = like_sender(&own_addresses(source), &parsed(&endpoint))
        .ok_or_else(|| Failure::Usage(format!("{} has no address", to.name)))?;
    Ok(Destination::new(desk.endpoint_label(&endpoint)?, address))
}

/// The address of the host for which `can` asks too.
fn host(desk: &Desk<'_>, source: &Party) -> Result<Destination, Failure> {
    let documents = documents(desk)?;
    let inquiry = Inquiry::new(&documents, &Semantics::default());
    let endpoint = source.endpoint.as_ref();
    let port = endpoint.and_then(|own| inquiry.switch().port_of(guid(own.id.get())));
    let all = inquiry
        .topology()
        .host_addresses_for(inquiry.switch(), port.map_or(Start::Host, Start::Port));
    let Some(address) = like_sender(&own_addresses(source), &all) else {
        return Err(Failure::Usage(NO_HOST_ADDRESS.to_owned()));
    };
    let is_beside = |own: &IpAddr| *own != address && own.is_ipv4() == address.is_ipv4();
    Ok(Destination {
        host_beside: all.into_iter().filter(is_beside).collect(),
        ..Destination::new("the host".to_owned(), address)
    })
}

fn own_addresses(party: &Party) -> Vec<IpAddr> {
    party.endpoint.as_ref().map(parsed).unwrap_or_default()
}

fn parsed(endpoint: &Endpoint) -> Vec<IpAddr> {
    let texts = addresses(endpoint);
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

impl Told<'_> {
    fn print_outcome(
        &self,
        desk: &mut Desk<'_>,
        args: &ProbeArgs,
        outcome: &ProbeOutcome,
    ) -> Result<(), Failure> {
        let what = match outcome {
            ProbeOutcome::Answered {
                payload,
                round_trip_us,
            } => {
                let time = format!("{}.{:03} ms", round_trip_us / 1000, round_trip_us % 1000);
                let text = String::from_utf8_lossy(payload);
                let head =
                    crate::render::shown(text.lines().next().unwrap_or_default()).into_owned();
                match args.to.protocol {
                    Protocol::TCP if payload.is_empty() => {
                        format!("answered after {time}: it connects, and says nothing")
                    }
                    Protocol::TCP => format!("answered after {time}: {head}"),
                    Protocol::ICMP => format!("echo answered after {time}"),
                    _ => format!("answered after {time}: {} bytes", payload.len()),
                }
            }
            ProbeOutcome::Refused => "refused: it is reached, and nothing listens there".to_owned(),
            ProbeOutcome::TimedOut => {
                format!("timed out: nothing came back in {} ms", args.timeout)
            }
            ProbeOutcome::Unreachable => {
                "unreachable: there is no way to that address, or nobody has it".to_owned()
            }
        };
        writeln!(
            desk.out,
            "{} -> {} {}: {what}",
            self.from, self.to, self.place
        )?;
        if let Some(words) = host_words(self.destination, &self.host_beside) {
            writeln!(desk.out, "  {words}")?;
        }
        Ok(())
    }

    fn page(&self, outcome: &ProbeOutcome) -> Value {
        let (word, round_trip_us) = match outcome {
            ProbeOutcome::Answered { round_trip_us, .. } => ("answered", Some(*round_trip_us)),
            ProbeOutcome::Refused => ("refused", None),
            ProbeOutcome::TimedOut => ("timed-out", None),
            ProbeOutcome::Unreachable => ("unreachable", None),
        };
        json!({
            "from": self.from, "to": self.to, "destination": self.place, "outcome": word,
            "roundTripMicroseconds": round_trip_us,
        })
    }
}

fn print_drops(
    desk: &mut Desk<'_>,
    documents: &Documents,
    report: &ProbeReport,
) -> Result<(), Failure> {
    // Repeats of one packet are dropped for one reason; it is said once.
    let mut said: Vec<String> = Vec::new();
    for drop in &report.drops {
        let line = dropped(desk, documents, drop)?;
        if !said.contains(&line) {
            writeln!(desk.out, "  {line}")?;
            said.push(line);
        }
    }
    Ok(())
}

fn dropped(desk: &Desk<'_>, documents: &Documents, drop: &Drop) -> Result<String, Failure> {
    let endpoint = |id: Guid| {
        documents
            .endpoints
            .iter()
            .find(|endpoint| endpoint.id.get().and_then(Id::guid) == Some(id))
    };
    let label = match endpoint(drop.endpoint) {
        Some(endpoint) => desk.endpoint_label(endpoint)?,
        None => short_id(&drop.endpoint.to_string()),
    };
    let cause = match &drop.cause.rule {
        Some(rule) => {
            let number = rule
                .pointer
                .strip_prefix("/Policies/")
                .and_then(|index| index.parse::<usize>().ok());
            let policy =
                endpoint(rule.object).and_then(|endpoint| endpoint.policies.get()?.get(number?));
            let words = policy.map_or_else(|| rule.text.clone(), rule::policy_words);
            let tie = if drop.cause.tie {
                "; a tie, which it wins"
            } else {
                ""
            };
            format!("{} {words}{tie}", rule.pointer)
        }
        None => drop.cause.to_string(),
    };
    Ok(format!(
        "dropped at {label} on its way {}: {cause}",
        drop.direction
    ))
}

fn drops(report: &ProbeReport) -> Value {
    report
        .drops
        .iter()
        .map(|drop| {
            json!({
                "endpoint": drop.endpoint.to_string(),
                "direction": drop.direction.to_string(),
                "flow": drop.flow.to_string(),
                "layer": drop.cause.layer.to_string(),
                "object": drop.cause.rule.as_ref().map(|rule| rule.object.to_string()),
                "pointer": drop.cause.rule.as_ref().map(|rule| rule.pointer.clone()),
                "tie": drop.cause.tie,
                "cause": drop.cause.to_string(),
            })
        })
        .collect()
}

fn print_json(desk: &mut Desk<'_>, mut page: Value, rest: Value) -> Result<(), Failure> {
    if let (Value::Object(page), Value::Object(rest)) = (&mut page, rest) {
        page.extend(rest);
    }
    crate::render::json::write_object(&mut desk.out, &page.to_string())?;
    Ok(())
}
