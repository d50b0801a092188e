// SPDX-License-Identifier: MIT OR Apache-2.0
//! A probe with real packets: from inside the compartment of a container that really runs, with no tool in its image.
//!
//! Apart from the simulated ones, since here Windows is the judge and hcnctl only knocks. The outcomes are the same.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

use hcn::{
    Answer, HcnCode, HnsError, Kind, ObjectId, compartment,
    echo::{self, Echo},
    schema::{Document, Endpoint, Guid, Id, Namespace, Query, v1},
};
use hcn_engine::{Probe, ProbeOutcome, Protocol};

use crate::{desk::Desk, failure::Failure, lookup::guid};

/// As much of an answer as is read; a line of it is shown.
const MOST: usize = 1 << 16;

/// What came of it, and in which compartment it began.
pub struct Real {
    /// The outcome.
    pub outcome: ProbeOutcome,
    /// Number of the compartment.
    pub compartment: u32,
}

/// Knocks.
///
/// # Errors
/// Where the compartment is not known or cannot be entered, or the system sends nothing like it.
pub fn probe(desk: &Desk<'_>, source: Option<&Endpoint>, probe: &Probe) -> Result<Real, Failure> {
    let number = match source {
        None => compartment::HOST,
        Some(endpoint) => compartment_of(desk, endpoint)?,
    };
    let sending = || Failure::hns("send real packets");
    let to = SocketAddr::new(probe.destination, probe.port);
    let timeout = Duration::from_millis(probe.timeout_ms.max(1));
    let exchange = match (probe.protocol, probe.destination) {
        (Protocol::TCP, _) => tcp,
        (Protocol::UDP, _) => udp,
        (Protocol::ICMP, IpAddr::V4(_)) => ping,
        (other, _) => {
            return Err(sending()(HnsError::because(
                HcnCode::E_NOTIMPL,
                format!("hcnctl sends no real {other}; probe a TCP or UDP port"),
            )));
        }
    };
    let outcome = compartment::inside(number, || exchange(to, &probe.payload, timeout))
        .and_then(|outcome| outcome)
        .map_err(sending())?;
    Ok(Real {
        outcome,
        compartment: number,
    })
}

/// The compartment of an endpoint: that of its namespace, as HNS numbers it in one shape or the other.
fn compartment_of(desk: &Desk<'_>, endpoint: &Endpoint) -> Result<u32, Failure> {
    let id = guid(endpoint.id.get());
    let unknown = |why: &str| {
        Failure::hns("find the container's compartment")(HnsError::because(
            HcnCode::E_INVALIDARG,
            format!(
                "{why}; a container that runs has one, and --packets simulated asks the rules alone"
            ),
        ))
    };
    let namespace = match endpoint.host_compute_namespace.get().and_then(Id::guid) {
        Some(namespace) if !namespace.is_zero() => namespace,
        // An endpoint that docker attached says it in the v1 shape alone.
        _ => {
            let one: v1::Endpoint = read(desk, Kind::Endpoint, id, &Query::v1())?;
            let namespace = one.namespace.get().and_then(|value| value["ID"].as_str());
            namespace
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| unknown(&format!("the endpoint {id} is in no namespace")))?
        }
    };
    let two: Namespace = read(desk, Kind::Namespace, namespace, &Query::v2())?;
    let number = two.namespace_id.or_default();
    if number != 0 {
        return Ok(number);
    }
    let one: v1::Namespace = read(desk, Kind::Namespace, namespace, &Query::v1())?;
    match one.compartment_id.or_default() {
        0 => Err(unknown(&format!(
            "the namespace {namespace} has no compartment yet"
        ))),
        number => Ok(number),
    }
}

fn read<T: Document>(desk: &Desk<'_>, kind: Kind, id: Guid, query: &Query) -> Result<T, Failure> {
    let reading = || Failure::hns(format!("read the {kind} {id}"));
    let text = desk
        .client()
        .hns()
        .query(ObjectId { kind, id }, &query.text())
        .map_err(reading())?;
    T::from_json(&text).map_err(|error| {
        reading()(HnsError::because(
            HcnCode::HCN_E_INVALID_JSON,
            format!("the answer is not JSON: {error}"),
        ))
    })
}

/// Connects, asks, and reads the first line of the answer. Who connects and hears nothing was answered all the same.
fn tcp(to: SocketAddr, request: &[u8], timeout: Duration) -> Answer<ProbeOutcome> {
    let start = Instant::now();
    let mut stream = match TcpStream::connect_timeout(&to, timeout) {
        Ok(stream) => stream,
        Err(error) => return failed(to, &error),
    };
    let mut round_trip = start.elapsed();
    let mut payload = Vec::new();
    if stream.write_all(request).is_ok() {
        let mut buffer = [0; 4096];
        while payload.len() < MOST && !payload.contains(&b'\n') {
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
                break;
            }
            match stream.read(&mut buffer) {
                Ok(count) if count > 0 => payload.extend_from_slice(&buffer[..count]),
                _ => break,
            }
            round_trip = start.elapsed();
        }
    }
    Ok(answered(payload, round_trip))
}

/// Sends one datagram and waits for one.
fn udp(to: SocketAddr, payload: &[u8], timeout: Duration) -> Answer<ProbeOutcome> {
    let any = match to {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let start = Instant::now();
    let mut buffer = vec![0; MOST];
    let received = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect(to)?;
        socket.set_read_timeout(Some(timeout))?;
        socket.send(payload)?;
        socket.recv(&mut buffer)
    });
    match received {
        Ok(count) => {
            buffer.truncate(count);
            Ok(answered(buffer, start.elapsed()))
        }
        Err(error) => failed(to, &error),
    }
}

/// Sends one echo request and waits for its answer.
fn ping(to: SocketAddr, payload: &[u8], timeout: Duration) -> Answer<ProbeOutcome> {
    let IpAddr::V4(address) = to.ip() else {
        return Ok(ProbeOutcome::Unreachable);
    };
    let start = Instant::now();
    Ok(match echo::echo(address, payload, timeout)? {
        Echo::Answered => answered(payload.to_vec(), start.elapsed()),
        Echo::TimedOut => ProbeOutcome::TimedOut,
        Echo::Unreachable => ProbeOutcome::Unreachable,
    })
}

fn answered(payload: Vec<u8>, round_trip: Duration) -> ProbeOutcome {
    ProbeOutcome::Answered {
        payload,
        round_trip_us: round_trip.as_micros() as u64,
    }
}

/// What a failure of the system says of the way; an error where it says nothing of it.
fn failed(to: SocketAddr, error: &io::Error) -> Answer<ProbeOutcome> {
    use io::ErrorKind;
    Ok(match error.kind() {
        // To a datagram socket of Windows, "port unreachable" is a reset.
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => ProbeOutcome::Refused,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => ProbeOutcome::TimedOut,
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::AddrNotAvailable => ProbeOutcome::Unreachable,
        _ => {
            return Err(HnsError::because(HcnCode::E_FAIL, format!("{to}: {error}")));
        }
    })
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    const SOON: Duration = Duration::from_millis(300);

    fn loopback() -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
    }

    fn payload(outcome: ProbeOutcome) -> String {
        match outcome {
            ProbeOutcome::Answered { payload, .. } => String::from_utf8(payload).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_listens_answers_and_who_does_not_refuses() {
        let listener = TcpListener::bind(loopback()).unwrap();
        let to = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut asked = [0; 3];
            peer.read_exact(&mut asked).unwrap();
            peer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            asked
        });
        let outcome = tcp(to, b"GET", Duration::from_secs(5)).unwrap();
        assert!(payload(outcome).starts_with("HTTP/1.1 204"));
        assert_eq!(&server.join().unwrap(), b"GET");
        // The listener is gone.
        assert_eq!(
            tcp(to, b"GET", Duration::from_secs(5)).unwrap(),
            ProbeOutcome::Refused
        );
    }

    #[test]
    fn who_takes_the_connection_and_says_nothing_has_answered() {
        let listener = TcpListener::bind(loopback()).unwrap();
        let to = listener.local_addr().unwrap();
        assert_eq!(payload(tcp(to, b"GET", SOON).unwrap()), "");
    }

    #[test]
    fn datagrams_are_answered_refused_or_lost() {
        let echo = UdpSocket::bind(loopback()).unwrap();
        let to = echo.local_addr().unwrap();
        let silent = udp(to, b"ping", SOON).unwrap();
        assert_eq!(silent, ProbeOutcome::TimedOut);
        let server = thread::spawn(move || {
            let mut buffer = [0; 16];
            // The first is that of the probe before.
            for _ in 0..2 {
                let (count, peer) = echo.recv_from(&mut buffer).unwrap();
                echo.send_to(&buffer[..count], peer).unwrap();
            }
        });
        let outcome = udp(to, b"ping", Duration::from_secs(5)).unwrap();
        assert_eq!(payload(outcome), "ping");
        server.join().unwrap();
        let refused = udp(to, b"ping", Duration::from_secs(5)).unwrap();
        assert_eq!(refused, ProbeOutcome::Refused);
    }
}
