// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frames of a capture, down to the IP packet.
//!
//! Apart from the files, because a tunnel has frames too. Whatever it is, it is an answer: a frame that is no IP packet says what it is.

/// What a frame of a capture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// An IP packet.
    Ip(&'a [u8]),
    /// Something else, by what it is.
    Other(&'static str),
}

/// What a datagram of VXLAN carries (RFC 7348 5): the number of its network and a frame. `None` where it is none.
pub fn vxlan(datagram: &[u8]) -> Option<(u32, Content<'_>)> {
    const HAS_NETWORK: u8 = 0x08;
    let (header, frame) = datagram.split_first_chunk::<8>()?;
    let [flags, _, _, _, network @ .., _] = header;
    let [high, middle, low] = *network;
    let network = u32::from_be_bytes([0, high, middle, low]);
    (flags & HAS_NETWORK != 0).then(|| (network, ethernet(frame)))
}

const CUT_SHORT: Content<'static> = Content::Other("a frame that is cut short");
const NO_IP: Content<'static> = Content::Other("no IP packet");

/// What a frame holds, by its link type.
pub(super) fn content(link: Option<u16>, frame: &[u8]) -> Content<'_> {
    const NULL_HEADER: usize = 4;
    const COOKED_HEADER: usize = 16;
    const COOKED_2_HEADER: usize = 20;
    match link {
        Some(1) => ethernet(frame),
        // Raw IP; 12 and 14 are what some systems write for it.
        Some(12 | 14 | 101 | 228 | 229) => ip(frame),
        // The family as the system numbers it, which the packet says too.
        Some(0 | 108) => ip(rest(frame, NULL_HEADER)),
        Some(9) => match frame {
            // RFC 1662: as in HDLC.
            [0xff, 0x03, frame @ ..] => point_to_point(frame),
            _ => point_to_point(frame),
        },
        Some(113) => by_type(word(frame, 14), rest(frame, COOKED_HEADER)),
        Some(276) => by_type(word(frame, 0), rest(frame, COOKED_2_HEADER)),
        Some(_) => Content::Other("a frame of a link type that is not read here"),
        None => Content::Other("a frame of an interface that the capture does not describe"),
    }
}

fn ethernet(frame: &[u8]) -> Content<'_> {
    const ADDRESSES: usize = 12;
    by_type(word(frame, ADDRESSES), rest(frame, ADDRESSES + 2))
}

/// What stands behind an EtherType.
fn by_type(mut kind: Option<u16>, mut payload: &[u8]) -> Content<'_> {
    // A loop, as what a frame says must not ask for as deep a stack as it likes.
    loop {
        (kind, payload) = match kind {
            None => return CUT_SHORT,
            Some(0x0800 | 0x86dd) => return ip(payload),
            Some(0x0806) => return Content::Other("ARP"),
            // A tag of a VLAN stands before the type, and others before that: IEEE 802.1Q and 802.1ad, and the numbers before the latter.
            Some(0x8100 | 0x88a8 | 0x9100 | 0x9200) => (word(payload, 2), rest(payload, 4)),
            Some(0x8847 | 0x8848) => return labelled(payload),
            // RFC 2516: six bytes, then as between two points.
            Some(0x8864) => return point_to_point(rest(payload, 6)),
            // IEEE 802.3: a length, and RFC 1042: then a type all the same.
            Some(..=1500) if payload.starts_with(&[0xaa, 0xaa, 3, 0, 0, 0]) => {
                (word(payload, 6), rest(payload, 8))
            }
            Some(_) => return NO_IP,
        };
    }
}

/// What stands behind labels of MPLS (RFC 3032): the last of them says that it is.
fn labelled(payload: &[u8]) -> Content<'_> {
    let mut labels = payload.chunks_exact(4);
    match labels.position(|label| label[2] & 1 == 1) {
        Some(last) => ip(rest(payload, 4 * (last + 1))),
        None => CUT_SHORT,
    }
}

/// What PPP carries (RFC 1661; RFC 1332 and RFC 5072 for IP).
fn point_to_point(frame: &[u8]) -> Content<'_> {
    match word(frame, 0) {
        Some(0x0021 | 0x0057) => ip(rest(frame, 2)),
        Some(_) => NO_IP,
        None => CUT_SHORT,
    }
}

fn ip(bytes: &[u8]) -> Content<'_> {
    match bytes.first().map(|first| first >> 4) {
        Some(4 | 6) => Content::Ip(bytes),
        Some(_) => NO_IP,
        None => CUT_SHORT,
    }
}

/// The 16-bit number at `at`, network byte order.
fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*pair))
}

fn rest(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}
