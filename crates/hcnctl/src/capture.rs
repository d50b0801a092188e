// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packets of a capture: pcap and pcapng files, by their link types, down to the IP packet.
//!
//! Apart because it knows files and frames and no rules. A capture that ends in the middle of a packet has the packets before; whatever else is
//! wrong with it is an error with the packet's number.

use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

/// What a frame of a capture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// An IP packet.
    Ip(&'a [u8]),
    /// Something else, by what it is.
    Other(&'static str),
}

/// Hands over each packet of a capture, counted from 1. Whether the capture was whole.
///
/// # Errors
/// Where it is no capture, or cannot be read on: a sentence that says where.
pub fn each_packet<E: From<String>>(
    bytes: &[u8],
    mut take: impl FnMut(u64, Content<'_>) -> Result<(), E>,
) -> Result<bool, E> {
    // There is room for all of it, so that no length in it asks for more.
    let mut reader = create_reader(bytes.len() + 1, bytes).map_err(|error| match error {
        PcapError::Eof => "the capture is empty".to_owned(),
        _ => "it is neither a pcap nor a pcapng file".to_owned(),
    })?;
    let mut links: Vec<Linktype> = Vec::new();
    let mut count = 0;
    loop {
        let step = match reader.next() {
            Ok((length, block)) => {
                let frame = match &block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        links = vec![header.network];
                        None
                    }
                    PcapBlockOwned::Legacy(packet) => {
                        Some((0, packet.data, packet.caplen as usize))
                    }
                    // Interfaces are counted within their section.
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                        links.clear();
                        None
                    }
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                        links.push(interface.linktype);
                        None
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        Some((packet.if_id as usize, packet.data, packet.caplen as usize))
                    }
                    PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                        Some((0, packet.data, packet.origlen as usize))
                    }
                    PcapBlockOwned::NG(_) => None,
                };
                if let Some((link, data, length)) = frame {
                    count += 1;
                    let data = &data[..length.min(data.len())];
                    take(count, content(links.get(link).copied(), data))?;
                }
                Some(length)
            }
            Err(PcapError::Eof) => return Ok(true),
            // The end of the file is in the middle of a packet, as where the capture is still being written.
            Err(PcapError::UnexpectedEof | PcapError::BufferTooSmall) => return Ok(false),
            Err(PcapError::Incomplete(_)) => None,
            Err(_) => return Err(format!("what follows packet {count} is damaged").into()),
        };
        match step {
            Some(length) => reader.consume(length),
            None if reader.reader_exhausted() => return Ok(false),
            None => match reader.refill() {
                Ok(()) => {}
                Err(PcapError::BufferTooSmall) => return Ok(false),
                Err(error) => return Err(format!("it cannot be read on: {error:?}").into()),
            },
        }
    }
}

/// What a frame holds, by its link type.
fn content(link: Option<Linktype>, frame: &[u8]) -> Content<'_> {
    const NULL_HEADER: usize = 4;
    const COOKED_HEADER: usize = 16;
    const COOKED_2_HEADER: usize = 20;
    match link {
        Some(Linktype::ETHERNET) => ethernet(frame),
        Some(Linktype::RAW | Linktype::IPV4 | Linktype::IPV6) => ip(frame),
        Some(Linktype::NULL | Linktype::LOOP) => ip(frame.get(NULL_HEADER..).unwrap_or_default()),
        Some(Linktype::LINUX_SLL) => by_type(frame, 14, COOKED_HEADER),
        Some(Linktype::LINUX_SLL2) => by_type(frame, 0, COOKED_2_HEADER),
        Some(_) => Content::Other("a frame of a link type that is not read here"),
        None => Content::Other("a frame of an interface that the capture does not describe"),
    }
}

fn ethernet(frame: &[u8]) -> Content<'_> {
    const TYPE: usize = 12;
    // A tag of a VLAN stands before the type, and there may be two.
    let tags = (0..2)
        .take_while(|tag| matches!(word(frame, TYPE + 4 * tag), Some(0x8100 | 0x88a8)))
        .count();
    by_type(frame, TYPE + 4 * tags, TYPE + 4 * tags + 2)
}

fn by_type(frame: &[u8], at: usize, payload: usize) -> Content<'_> {
    match word(frame, at) {
        Some(0x0800 | 0x86dd) => ip(frame.get(payload..).unwrap_or_default()),
        Some(0x0806) => Content::Other("ARP"),
        Some(_) => Content::Other("no IP packet"),
        None => Content::Other("a frame that is cut short"),
    }
}

fn ip(bytes: &[u8]) -> Content<'_> {
    match bytes.first().map(|first| first >> 4) {
        Some(4 | 6) => Content::Ip(bytes),
        _ => Content::Other("no IP packet"),
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes([pair[0], pair[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 header's first byte and something behind it.
    const IP: &[u8] = &[0x45, 1, 2, 3];

    fn pcap(big_endian: bool, link: u32, frames: &[&[u8]]) -> Vec<u8> {
        let number = |value: u32| match big_endian {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        };
        let version = match big_endian {
            true => [0, 2, 0, 4],
            false => [2, 0, 4, 0],
        };
        let mut bytes = number(0xa1b2_c3d4).to_vec();
        bytes.extend(version);
        for value in [0, 0, 65_535, link] {
            bytes.extend(number(value));
        }
        for frame in frames {
            for value in [0, 0, frame.len() as u32, frame.len() as u32] {
                bytes.extend(number(value));
            }
            bytes.extend(*frame);
        }
        bytes
    }

    /// A pcapng file with an interface of each link type, and each frame on the interface of its place.
    fn pcapng(frames: &[(u16, &[u8])]) -> Vec<u8> {
        let block = |kind: u32, body: &[u8]| {
            let length = (body.len() + 12) as u32;
            let mut bytes = kind.to_le_bytes().to_vec();
            bytes.extend(length.to_le_bytes());
            bytes.extend(body);
            bytes.extend(length.to_le_bytes());
            bytes
        };
        let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
        section.extend([1, 0, 0, 0]);
        section.extend(u64::MAX.to_le_bytes());
        let mut bytes = block(0x0a0d_0d0a, &section);
        for (link, _) in frames {
            let mut body = link.to_le_bytes().to_vec();
            body.extend([0; 6]);
            bytes.extend(block(1, &body));
        }
        for (place, (_, frame)) in frames.iter().enumerate() {
            let mut body = (place as u32).to_le_bytes().to_vec();
            body.extend([0; 8]);
            body.extend((frame.len() as u32).to_le_bytes());
            body.extend((frame.len() as u32).to_le_bytes());
            body.extend(*frame);
            body.resize(body.len().next_multiple_of(4), 0);
            bytes.extend(block(6, &body));
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<(Vec<String>, bool), String> {
        let mut found = Vec::new();
        let whole = each_packet(bytes, |_, content| -> Result<(), String> {
            found.push(match content {
                Content::Ip(bytes) => format!("ip {bytes:?}"),
                Content::Other(what) => what.to_owned(),
            });
            Ok(())
        })?;
        Ok((found, whole))
    }

    fn ethernet_frame(header: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend(header);
        frame.extend(IP);
        frame
    }

    #[test]
    fn packets_are_found_in_captures_of_either_byte_order() {
        let plain = ethernet_frame(&[0x08, 0x00]);
        let tagged = ethernet_frame(&[0x81, 0x00, 0, 7, 0x08, 0x00]);
        let arp = ethernet_frame(&[0x08, 0x06]);
        let expected = ["ip [69, 1, 2, 3]", "ip [69, 1, 2, 3]", "ARP"];
        for big_endian in [true, false] {
            let file = pcap(big_endian, 1, &[&plain, &tagged, &arp]);
            let (found, whole) = read(&file).unwrap();
            assert_eq!(found, expected);
            assert!(whole);
        }
    }

    #[test]
    fn each_interface_of_a_pcapng_file_has_its_own_link_type() {
        let mut cooked = vec![0; 14];
        cooked.extend([0x08, 0x00]);
        cooked.extend(IP);
        let plain = ethernet_frame(&[0x08, 0x00]);
        let file = pcapng(&[(1, &plain), (101, IP), (113, &cooked), (147, IP)]);
        let (found, whole) = read(&file).unwrap();
        let ip = "ip [69, 1, 2, 3]";
        let other = "a frame of a link type that is not read here";
        assert_eq!(found, [ip, ip, ip, other]);
        assert!(whole);
    }

    #[test]
    fn a_capture_that_is_cut_short_has_the_packets_before_the_cut() {
        let file = pcap(false, 101, &[IP, IP]);
        for cut in 1..IP.len() + 16 {
            let (found, whole) = read(&file[..file.len() - cut]).unwrap();
            assert_eq!((found.len(), whole), (1, false), "{cut}");
        }
    }

    #[test]
    fn a_frame_longer_than_the_room_at_first_is_read() {
        let mut long = IP.to_vec();
        long.resize(200_000, 0);
        let (found, whole) = read(&pcap(false, 101, &[&long, IP])).unwrap();
        assert_eq!((found.len(), whole), (2, true));
    }

    #[test]
    fn what_is_no_capture_is_told_in_a_sentence() {
        assert_eq!(read(b"").unwrap_err(), "the capture is empty");
        let sentence = "it is neither a pcap nor a pcapng file";
        assert_eq!(
            read(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap_err(),
            sentence
        );
    }

    #[test]
    fn a_length_beyond_the_end_asks_for_no_room() {
        let mut endless = pcap(false, 101, &[IP]);
        let length = endless.len() - IP.len() - 8;
        endless[length..length + 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
        let (found, whole) = read(&endless).unwrap();
        assert_eq!((found.len(), whole), (0, false));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
            at in 0usize..120,
            with in proptest::num::u8::ANY,
        ) {
            // Noise alone, noise behind a header, and a whole capture with one byte changed: an answer or an error, both are well.
            let _ = read(&bytes);
            let mut file = pcapng(&[(1, IP), (101, IP)]);
            file.extend(&bytes);
            let _ = read(&file);
            if let Some(byte) = file.get_mut(at) {
                *byte = with;
            }
            let _ = read(&file);
        }
    }
}
