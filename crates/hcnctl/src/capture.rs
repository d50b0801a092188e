// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packets of a capture: pcap and pcapng files.
//!
//! Apart because it knows files and no rules; what is in a frame is told by [`frame`]. A capture that ends in the middle of a packet has the
//! packets before; whatever else is wrong with it is an error that says behind which packet. The formats are those of
//! draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.

mod frame;
mod moment;
#[cfg(test)]
mod tests;

use moment::Clock;

pub use frame::{Content, vxlan};

/// A packet of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured<'a> {
    /// Its place in the capture, from 1.
    pub number: u64,
    /// When it was captured, in milliseconds since 1970; none where the capture does not say.
    pub time_ms: Option<u64>,
    /// What is in its frame.
    pub content: Content<'a>,
}

/// Longest frame that is believed of a file that does not announce longer ones, in bytes: as libpcap does, since whatever says more is damaged.
const LONGEST_FRAME: usize = 256 << 10;

/// Longest frame that a file may announce, and longest block, in bytes: as libpcap does.
const LONGEST: usize = 16 << 20;

/// Hands over each packet of a capture. Whether the capture was whole.
///
/// # Errors
/// Where it is no capture, or cannot be read on: a sentence that says where.
pub fn each_packet<E: From<String>>(
    bytes: &[u8],
    take: impl FnMut(Captured<'_>) -> Result<(), E>,
) -> Result<bool, E> {
    let mut reader = Reader {
        rest: bytes,
        order: Order::Little,
        count: 0,
        take,
    };
    let Some(magic) = bytes.first_chunk::<4>() else {
        return Err(unknown(bytes).into());
    };
    // Captures of either byte order, with micro- and nanoseconds; and with 8 bytes more before each packet.
    const MICROSECONDS: u32 = 1_000;
    const NANOSECONDS: u32 = 1_000_000;
    let (order, header, a_millisecond) = match u32::from_le_bytes(*magic) {
        0xa1b2_c3d4 => (Order::Little, 16, MICROSECONDS),
        0xa1b2_3c4d => (Order::Little, 16, NANOSECONDS),
        0xd4c3_b2a1 => (Order::Big, 16, MICROSECONDS),
        0x4d3c_b2a1 => (Order::Big, 16, NANOSECONDS),
        0xa1b2_cd34 => (Order::Little, 24, MICROSECONDS),
        0x34cd_b2a1 => (Order::Big, 24, MICROSECONDS),
        SECTION => return reader.blocks(),
        _ => return Err(unknown(bytes).into()),
    };
    reader.order = order;
    reader.records(header, a_millisecond)
}

/// Why bytes that begin otherwise than a capture are none.
fn unknown(bytes: &[u8]) -> String {
    let what = match bytes {
        [] => return "the capture is empty".to_owned(),
        [0x1f, 0x8b, ..] => "; it is compressed by gzip, which unpacks it too",
        _ if is_event_log(bytes) => {
            "; pktmon etl2pcap makes a pcapng file of an event trace of Windows (ETL), which this seems to be"
        }
        _ => "",
    };
    format!("it is neither a pcap nor a pcapng file{what}")
}

/// Whether a file begins as event traces of Windows do (WMI_BUFFER_HEADER): with the size of its buffers, some KiB, and how much is in the first.
fn is_event_log(bytes: &[u8]) -> bool {
    const BUFFER_HEADER: usize = 72;
    let number = |at| Order::Little.long(bytes, at).unwrap_or(u32::MAX) as usize;
    let size = number(0);
    bytes.len() >= BUFFER_HEADER
        && (1 << 10..=LONGEST).contains(&size)
        && size.is_multiple_of(1 << 10)
        && number(4) <= size
}

/// In which order the bytes of a number are.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    /// The 32-bit number at `at`.
    fn long(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Order::Little => u32::from_le_bytes(four),
            Order::Big => u32::from_be_bytes(four),
        })
    }

    /// The 64-bit number at `at`.
    fn wide(self, bytes: &[u8], at: usize) -> Option<u64> {
        let eight = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Order::Little => u64::from_le_bytes(eight),
            Order::Big => u64::from_be_bytes(eight),
        })
    }

    /// The 16-bit number at `at`.
    fn short(self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Order::Little => u16::from_le_bytes(two),
            Order::Big => u16::from_be_bytes(two),
        })
    }
}

/// Type of the block that begins a section: the same in either byte order.
const SECTION: u32 = 0x0a0d_0d0a;

/// An interface of a section.
#[derive(Clone, Copy)]
struct Interface {
    link: u16,
    /// Longest part of a frame that is kept; 0 is no limit.
    snapshot: usize,
    clock: Clock,
}

/// A frame, as a capture has it.
struct Taken<'a> {
    /// None where the interface is not described.
    link: Option<u16>,
    time_ms: Option<u64>,
    frame: &'a [u8],
}

/// A capture, and how far it is read.
struct Reader<'a, Take> {
    rest: &'a [u8],
    order: Order,
    count: u64,
    take: Take,
}

impl<'a, E: From<String>, Take: FnMut(Captured<'_>) -> Result<(), E>> Reader<'a, Take> {
    /// Reads a pcap file, with a header of this many bytes before each packet, and a time of seconds and parts, of which so many are a millisecond.
    fn records(mut self, header: usize, a_millisecond: u32) -> Result<bool, E> {
        const FILE_HEADER: usize = 24;
        let Some((first, rest)) = self.rest.split_at_checked(FILE_HEADER) else {
            return Ok(false);
        };
        self.rest = rest;
        let number = |at| self.order.long(first, at).unwrap_or_default();
        // The upper half says how long a frame's checksum is. An IP packet says itself where it ends, so that it is not asked.
        let link = number(20) as u16;
        let longest = match number(16) as usize {
            announced if announced <= LONGEST => announced.max(LONGEST_FRAME),
            _ => LONGEST_FRAME,
        };
        while !self.rest.is_empty() {
            let Some(length) = self.number(8).filter(|_| self.rest.len() >= header) else {
                return Ok(false);
            };
            if length > longest {
                return Err(self.damage(&format!("a packet of {length} bytes")));
            }
            let Some((record, rest)) = self.rest.split_at_checked(header + length) else {
                return Ok(false);
            };
            self.rest = rest;
            let long = |at| self.order.long(record, at);
            let time_ms = long(0).zip(long(4)).map(|(seconds, parts)| {
                u64::from(seconds) * 1_000 + u64::from(parts / a_millisecond)
            });
            self.hand_over(Taken {
                link: Some(link),
                time_ms,
                frame: &record[header..],
            })?;
        }
        Ok(true)
    }

    /// Reads a pcapng file.
    fn blocks(mut self) -> Result<bool, E> {
        // Type, length, and the length again at the end.
        const AROUND: usize = 12;
        let mut interfaces: Vec<Interface> = Vec::new();
        while !self.rest.is_empty() {
            let begins_section = self.number(0) == Some(SECTION as usize);
            if begins_section {
                match self.rest.get(8..12) {
                    Some([0x4d, 0x3c, 0x2b, 0x1a]) => self.order = Order::Little,
                    Some([0x1a, 0x2b, 0x3c, 0x4d]) => self.order = Order::Big,
                    Some(_) if self.count == 0 && interfaces.is_empty() => {
                        return Err("it is neither a pcap nor a pcapng file".to_owned().into());
                    }
                    Some(_) => return Err(self.damage("a section without a byte order")),
                    None => return Ok(false),
                }
            }
            let (Some(kind), Some(length)) = (self.number(0), self.number(4)) else {
                return Ok(false);
            };
            if length < AROUND || !length.is_multiple_of(4) || length > LONGEST {
                return Err(self.damage(&format!("a block of {length} bytes")));
            }
            let Some((block, rest)) = self.rest.split_at_checked(length) else {
                return Ok(false);
            };
            if self
                .order
                .long(block, length - 4)
                .map(|again| again as usize)
                != Some(length)
            {
                return Err(self.damage("a block with two lengths"));
            }
            let body = &block[8..length - 4];
            let packet = self.packet(kind, body, &mut interfaces);
            let Some(packet) = packet else {
                return Err(self.damage("a block that is too short for what it says"));
            };
            self.rest = rest;
            if let Some(taken) = packet {
                self.hand_over(taken)?;
            }
        }
        Ok(true)
    }

    /// The packet of a block, where it has one. `None` where the block is too short for what it says.
    fn packet<'b>(
        &self,
        kind: usize,
        body: &'b [u8],
        interfaces: &mut Vec<Interface>,
    ) -> Option<Option<Taken<'b>>> {
        const INTERFACE: usize = 1;
        const PACKET: usize = 2;
        const SIMPLE_PACKET: usize = 3;
        const ENHANCED_PACKET: usize = 6;
        /// Bytes of a packet block, old or enhanced, before the frame.
        const BEFORE: usize = 20;
        /// Bytes of an interface block before its options.
        const INTERFACE_HEADER: usize = 8;
        let long = |at| self.order.long(body, at).map(|number| number as usize);
        let (interface, start, length) = match kind {
            // Interfaces are counted within their section.
            _ if kind == SECTION as usize => {
                interfaces.clear();
                // Byte order, version, and the length of the section.
                return (body.len() >= 16).then_some(None);
            }
            INTERFACE => {
                interfaces.push(Interface {
                    link: self.order.short(body, 0)?,
                    snapshot: long(4)?,
                    clock: Clock::of(&body[INTERFACE_HEADER..], self.order),
                });
                return Some(None);
            }
            PACKET => (self.order.short(body, 0)?.into(), BEFORE, long(12)?),
            ENHANCED_PACKET => (long(0)?, BEFORE, long(12)?),
            SIMPLE_PACKET => {
                let whole = long(0)?;
                let kept = match interfaces.first() {
                    Some(interface) if interface.snapshot != 0 => whole.min(interface.snapshot),
                    _ => whole,
                };
                (0, 4, kept)
            }
            _ => return Some(None),
        };
        let frame = body.get(start..)?.get(..length)?;
        let interface = interfaces.get(interface);
        // A simple block has no time; in the others the upper half comes first, in either byte order.
        let ticks = match kind {
            SIMPLE_PACKET => None,
            _ => long(4)
                .zip(long(8))
                .map(|(high, low)| (high as u64) << 32 | low as u64),
        };
        Some(Some(Taken {
            link: interface.map(|interface| interface.link),
            time_ms: interface
                .zip(ticks)
                .map(|(interface, ticks)| interface.clock.milliseconds(ticks)),
            frame,
        }))
    }

    /// The number at `at` of what is not read yet.
    fn number(&self, at: usize) -> Option<usize> {
        let number = self.order.long(self.rest, at)?;
        usize::try_from(number).ok()
    }

    fn hand_over(&mut self, taken: Taken<'_>) -> Result<(), E> {
        self.count += 1;
        (self.take)(Captured {
            number: self.count,
            time_ms: taken.time_ms,
            content: frame::content(taken.link, taken.frame),
        })
    }

    fn damage(&self, what: &str) -> E {
        let place = match self.count {
            0 => "its beginning".to_owned(),
            count => format!("what follows packet {count}"),
        };
        format!("{place} is damaged: {what}").into()
    }
}
