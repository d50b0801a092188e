// SPDX-License-Identifier: MIT OR Apache-2.0
//! Captures made by hand, byte for byte, from the drafts and RFCs that are named; and changed ones.

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
    let whole = each_packet(bytes, |captured| -> Result<(), String> {
        found.push(match captured.content {
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
fn a_length_that_no_packet_has_is_damage_and_asks_for_no_room() {
    let mut endless = pcap(false, 101, &[IP, IP]);
    let length = endless.len() - IP.len() - 8;
    endless[length..length + 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    assert_eq!(
        read(&endless).unwrap_err(),
        "what follows packet 1 is damaged: a packet of 2147483647 bytes"
    );
    // One that a packet may have is a capture that is cut short.
    endless[length..length + 4].copy_from_slice(&65_535_u32.to_le_bytes());
    assert_eq!(
        read(&endless).map(|(found, whole)| (found.len(), whole)),
        Ok((1, false))
    );
}

#[test]
fn damage_in_a_pcapng_file_is_told_from_its_end() {
    let good = pcapng(&[(101, IP)]);
    // draft-ietf-opsawg-pcapng 3.1: type, length, body, length again; a length is a multiple of 4 and 12 at least.
    let block = |length: u32, again: u32, body: &[u8]| {
        let mut bytes = 6_u32.to_le_bytes().to_vec();
        bytes.extend(length.to_le_bytes());
        bytes.extend(body);
        bytes.extend(again.to_le_bytes());
        bytes
    };
    // 4.3: interface, time, time, length kept, length; then the frame, of which 5 bytes are said and 4 are there.
    let mut short = vec![0; 12];
    short.extend([5, 0, 0, 0, 5, 0, 0, 0]);
    short.extend(IP);
    for (tail, says) in [
        (block(7, 7, &[0; 20]), "a block of 7 bytes"),
        (block(8, 8, &[0; 20]), "a block of 8 bytes"),
        (block(30, 30, &[0; 18]), "a block of 30 bytes"),
        (
            block(0x7fff_fffc, 0, &[0; 20]),
            "a block of 2147483644 bytes",
        ),
        (block(36, 40, &short), "a block with two lengths"),
        (
            block(36, 36, &short),
            "a block that is too short for what it says",
        ),
        (
            block(16, 16, &[0; 4]),
            "a block that is too short for what it says",
        ),
        (
            b"what is this, then? noise".to_vec(),
            "a block of 544434464 bytes",
        ),
    ] {
        let mut file = good.clone();
        file.extend(&tail);
        let expected = format!("what follows packet 1 is damaged: {says}");
        assert_eq!(read(&file).unwrap_err(), expected);
    }
    for cut in 1..32 + IP.len() {
        let (found, whole) = read(&good[..good.len() - cut]).unwrap();
        assert_eq!((found.len(), whole), (0, false), "{cut}");
    }
}

#[test]
fn packets_are_in_simple_and_in_old_blocks_too() {
    // Byte order, version 1.0, length unknown; then the other order, in which the second section is.
    let section = |order: [u8; 4], little: bool| {
        let number = |value: u32| match little {
            true => value.to_le_bytes(),
            false => value.to_be_bytes(),
        };
        let block = |kind: u32, body: &[u8]| {
            let length = number(body.len() as u32 + 12);
            [&number(kind)[..], &length, body, &length].concat()
        };
        // 4.2: link type 101 (0x65), reserved, keeping 4 bytes of a frame.
        let link = match little {
            true => [0x65, 0, 0, 0],
            false => [0, 0x65, 0, 0],
        };
        [
            block(0x0a0d_0d0a, &[&order[..], &[0; 4], &[0xff; 8]].concat()),
            block(1, &[&link[..], &number(4)].concat()),
            // 4.4: the length as it was, 40, of which 4 bytes were kept.
            block(3, &[&number(40)[..], IP].concat()),
            // A block of a type that is unknown here.
            block(0xbad, &[1, 2, 3, 4]),
            // Appendix A: interface and drops, of 2 bytes each; time; length kept, length.
            block(2, &[&[0; 12][..], &number(4), &number(40), IP].concat()),
        ]
        .concat()
    };
    let little = section([0x4d, 0x3c, 0x2b, 0x1a], true);
    let big = section([0x1a, 0x2b, 0x3c, 0x4d], false);
    let (found, whole) = read(&[little, big].concat()).unwrap();
    assert_eq!(found, ["ip [69, 1, 2, 3]"; 4]);
    assert!(whole);
}

#[test]
fn what_a_link_type_says_of_checksums_is_no_link_type() {
    // draft-ietf-opsawg-pcap 4: bits 26 and 28 to 31, here "2 times 2 bytes", above the link type Ethernet.
    let frame = ethernet_frame(&[0x08, 0x00]);
    let (found, _) = read(&pcap(false, 1 | 0x2400_0000, &[&frame])).unwrap();
    assert_eq!(found, ["ip [69, 1, 2, 3]"]);
}

#[test]
fn records_with_eight_bytes_more_are_read() {
    // The kind of capture with the magic number a1b2cd34: interface, protocol, kind of packet and a filler follow the lengths.
    let mut file = pcap(false, 101, &[]);
    file[..4].copy_from_slice(&0xa1b2_cd34_u32.to_le_bytes());
    for value in [0, 0, 4, 4, 0, 0] {
        file.extend(u32::to_le_bytes(value));
    }
    file.extend(IP);
    assert_eq!(read(&file), Ok((vec!["ip [69, 1, 2, 3]".to_owned()], true)));
}

/// The times of the packets of a capture.
fn times(bytes: &[u8]) -> Vec<Option<u64>> {
    let mut times = Vec::new();
    let read = each_packet(bytes, |captured| -> Result<(), String> {
        times.push(captured.time_ms);
        Ok(())
    });
    assert_eq!(read, Ok(true));
    times
}

#[test]
fn a_pcap_file_says_micro_or_nanoseconds() {
    // draft-ietf-opsawg-pcap 5: seconds, then micro- or, with the other magic number, nanoseconds.
    for (magic, parts) in [(0xa1b2_c3d4_u32, 500_999_u32), (0xa1b2_3c4d, 500_999_999)] {
        for big_endian in [false, true] {
            let number = |value: u32| match big_endian {
                true => value.to_be_bytes(),
                false => value.to_le_bytes(),
            };
            let mut file = pcap(big_endian, 101, &[IP, IP]);
            file[..4].copy_from_slice(&number(magic));
            file[24..28].copy_from_slice(&number(1_700_000_000));
            file[28..32].copy_from_slice(&number(parts));
            assert_eq!(times(&file), [Some(1_700_000_000_500), Some(0)]);
        }
    }
    let mut file = pcap(false, 101, &[]);
    file[..4].copy_from_slice(&0xa1b2_cd34_u32.to_le_bytes());
    for value in [7, 8_000, 4, 4, 0, 0] {
        file.extend(u32::to_le_bytes(value));
    }
    file.extend(IP);
    assert_eq!(times(&file), [Some(7_008)]);
}

#[test]
fn each_interface_of_a_pcapng_file_has_its_own_clock() {
    // draft-ietf-opsawg-pcapng 3.5 and 4.2: code, length, value and padding; 9 is if_tsresol, 14 if_tsoffset, 0 the end.
    let none: &[u8] = &[];
    let hour_later = [14, 0, 8, 0, 0x10, 0x0e, 0, 0, 0, 0, 0, 0];
    let hour_before = [&[14, 0, 8, 0, 0xf0, 0xf1], &[0xff; 6][..]].concat();
    let nanoseconds = [
        2, 0, 3, 0, b'e', b't', b'h', 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0,
    ];
    for (options, ticks, milliseconds) in [
        (none, 5_000_000_u64, 5_000),
        (none, 1_700_000_000_123_456, 1_700_000_000_123),
        (&nanoseconds, 1_700_000_000_123_456_789, 1_700_000_000_123),
        // Whole seconds; 2^-10 of a second; what is shorter than any clock; and as long as no other option is.
        (&[9, 0, 1, 0, 0, 0, 0, 0], 5, 5_000),
        (&[9, 0, 1, 0, 0x8a, 0, 0, 0], 1_536, 1_500),
        (&[9, 0, 1, 0, 0x7f, 0, 0, 0], u64::MAX, 0),
        (&[9, 0, 1, 0, 0xff, 0, 0, 0], u64::MAX, 0),
        (&hour_later, 5_000_000, 3_605_000),
        (&hour_before, 5_000_000, 0),
        (&hour_before, 3_605_000_000, 5_000),
        // Behind the end, and longer than there are bytes.
        (&[0, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0], 5_000_000, 5_000),
        (&[9, 0, 200, 0, 0, 0, 0, 0], 5_000_000, 5_000),
    ] {
        let block = |kind: u32, body: &[u8]| {
            let length = (body.len() as u32 + 12).to_le_bytes();
            [&kind.to_le_bytes()[..], &length, body, &length].concat()
        };
        let section = [
            &0x1a2b_3c4d_u32.to_le_bytes()[..],
            &[1, 0, 0, 0],
            &[0xff; 8],
        ]
        .concat();
        // 4.3: the upper half of the time comes first.
        let high = ((ticks >> 32) as u32).to_le_bytes();
        let low = (ticks as u32).to_le_bytes();
        let four = 4_u32.to_le_bytes();
        let file = [
            block(0x0a0d_0d0a, &section),
            block(1, &[&[101, 0, 0, 0, 0, 0, 0, 0], options].concat()),
            block(6, &[&[0; 4][..], &high, &low, &four, &four, IP].concat()),
            // 4.4: a simple one has no time. Appendix A: an old one has it where an enhanced one does.
            block(3, &[&four[..], IP].concat()),
            block(2, &[&[0; 4][..], &high, &low, &four, &four, IP].concat()),
        ]
        .concat();
        let expected = [Some(milliseconds), None, Some(milliseconds)];
        assert_eq!(times(&file), expected, "{options:?} {ticks}");
    }
}

#[test]
fn what_is_nearly_a_capture_is_told_with_what_makes_it_one() {
    // WMI_BUFFER_HEADER: buffers of 64 KiB, 0x238 bytes in use.
    let mut log = vec![0, 0, 1, 0, 0x38, 2, 0, 0];
    log.resize(500, 0);
    let sentence = read(&log).unwrap_err();
    assert!(sentence.contains("pktmon etl2pcap"), "{sentence}");
    let sentence = read(&[0x1f, 0x8b, 8, 0, 0, 0]).unwrap_err();
    assert!(sentence.contains("gzip"), "{sentence}");
    // The block of a section, without a byte order behind it.
    let sentence = read(&[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 1, 2, 3, 4]).unwrap_err();
    assert_eq!(sentence, "it is neither a pcap nor a pcapng file");
}

#[test]
fn packets_are_found_behind_tags_labels_and_sessions() {
    let ip = "ip [69, 1, 2, 3]";
    for (header, expected) in [
        // IEEE 802.1Q tags in IEEE 802.1ad ones; the number for those before it had one; and three of them.
        (&[0x88, 0xa8, 0, 1, 0x81, 0, 0, 7, 8, 0][..], ip),
        (&[0x91, 0, 0, 1, 8, 0], ip),
        (&[0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x92, 0, 0, 3, 8, 0], ip),
        // RFC 3032: label 0x10, not the last; label 0x20, the last (the lowest bit of the third byte); TTL 64.
        (&[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64], ip),
        (&[0x88, 0x47, 0, 1, 0, 64], "a frame that is cut short"),
        // RFC 2516: version and type 1, session data, session 1, length 6; RFC 1332: IPv4 is 0x0021; RFC 1661: 0xc021 is LCP.
        (&[0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0, 0x21], ip),
        (
            &[0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0xc0, 0x21],
            "no IP packet",
        ),
        // RFC 1042: a length, then the header that says that a type follows.
        (&[0, 12, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0], ip),
        (&[0, 12, 0x42, 0x42, 3, 0, 0, 0, 8, 0], "no IP packet"),
        (&[0x08, 0x06], "ARP"),
    ] {
        let frame = ethernet_frame(header);
        let (found, _) = read(&pcap(false, 1, &[&frame])).unwrap();
        assert_eq!(found, [expected], "{header:x?}");
    }
    // A frame of nothing but tags: 65 000 of them ask for no stack.
    let tags = [0x81, 0, 0, 1].repeat(65_000);
    let (found, _) = read(&pcap(false, 1, &[&[&[0; 12][..], &tags].concat()])).unwrap();
    assert_eq!(found, ["a frame that is cut short"]);
}

#[test]
fn a_datagram_of_vxlan_has_a_network_and_a_frame() {
    // RFC 7348 5: flags (0x08: the network is valid), three bytes of nothing, network 4096 (0x001000), a byte of nothing.
    let mut datagram = vec![8, 0, 0, 0, 0, 0x10, 0, 0];
    datagram.extend(ethernet_frame(&[0x08, 0x00]));
    assert_eq!(vxlan(&datagram), Some((4096, Content::Ip(IP))));
    datagram[0] = 0;
    assert_eq!(vxlan(&datagram), None);
    assert_eq!(vxlan(&[8, 0, 0, 0, 0, 0x10, 0]), None);
}

/// Captures to change: of either kind and byte order, with frames that have more than one layer.
fn seeds() -> Vec<Vec<u8>> {
    let tagged = ethernet_frame(&[0x81, 0, 0, 1, 0x88, 0x47, 0, 1, 1, 64]);
    let session = ethernet_frame(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0, 0x21]);
    let mut modified = pcap(false, 101, &[IP, &[0; 8]]);
    modified[..4].copy_from_slice(&0xa1b2_cd34_u32.to_le_bytes());
    vec![
        pcap(false, 1, &[&tagged, &session]),
        pcap(true, 1, &[&session, &tagged]),
        pcap(false, 113, &[&[0; 14], &tagged]),
        pcapng(&[(1, &tagged), (276, &session), (9, IP), (101, IP)]),
        modified,
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_make_the_reader_panic(
        noise in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        seed in 0usize..5,
        changes in proptest::collection::vec((0usize..400, proptest::num::u8::ANY), 0..6),
        cut in 0usize..400,
    ) {
        // Noise alone, noise behind a capture, and a capture that is changed here and there and cut: an answer or an error, both are well.
        let _ = (read(&noise), vxlan(&noise));
        let mut file = seeds().swap_remove(seed);
        let whole = read(&file).unwrap().0;
        let changes: Vec<(usize, u8)> = changes.into_iter().filter(|(at, _)| *at < file.len()).collect();
        let untouched = file.clone();
        for (at, byte) in changes {
            file[at] = byte;
        }
        let _ = read(&file);
        file.extend(&noise);
        let _ = read(&file);
        // What is before the cut is as it was.
        let cut = cut.min(untouched.len());
        if let Ok((found, _)) = read(&untouched[..cut]) {
            proptest::prop_assert!(whole.starts_with(&found));
        }
    }
}
