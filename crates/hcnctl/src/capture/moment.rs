// SPDX-License-Identifier: MIT OR Apache-2.0
//! When a packet was captured, in milliseconds since 1970, as captures count that.
//!
//! Apart because each interface of a pcapng file counts in its own way. What is beyond the range of a number is as far as the number goes: a
//! time that makes no sense is no reason not to read a packet.

use super::Order;

/// How an interface of a pcapng file counts time (draft-ietf-opsawg-pcapng 4.2).
#[derive(Clone, Copy)]
pub(super) struct Clock {
    /// `if_tsresol`: the highest bit says that a tick is a power of 2 of a second, and not of 10; the others, which one.
    resolution: u8,
    /// `if_tsoffset`: seconds to add.
    offset: i64,
}

impl Clock {
    /// The clock that the options of an interface describe; microseconds, where they describe none.
    pub(super) fn of(mut options: &[u8], order: Order) -> Self {
        const RESOLUTION: u16 = 9;
        const OFFSET: u16 = 14;
        /// Code and length.
        const HEADER: usize = 4;
        let mut clock = Clock {
            resolution: 6,
            offset: 0,
        };
        while let (Some(code), Some(length)) = (order.short(options, 0), order.short(options, 2)) {
            let length = usize::from(length);
            // The end of options, or ones that are longer than their block: those before are as they say.
            let Some(value) = options.get(HEADER..HEADER + length).filter(|_| code != 0) else {
                break;
            };
            match (code, value) {
                (RESOLUTION, [resolution, ..]) => clock.resolution = *resolution,
                (OFFSET, value) => clock.offset = order.wide(value, 0).unwrap_or(0) as i64,
                _ => {}
            }
            let next = HEADER + length.next_multiple_of(4);
            options = options.get(next..).unwrap_or_default();
        }
        clock
    }

    /// Milliseconds of so many ticks.
    pub(super) fn milliseconds(self, ticks: u64) -> u64 {
        const IS_OF_TWO: u8 = 0x80;
        let thousandths = u128::from(ticks) * 1_000;
        let power = u32::from(self.resolution & !IS_OF_TWO);
        let since_offset = if self.resolution & IS_OF_TWO != 0 {
            thousandths >> power
        } else {
            // Ticks so short that 2^64 of them are no millisecond.
            let a_second = 10_u128.checked_pow(power);
            a_second.map_or(0, |ticks| thousandths / ticks)
        };
        let all = since_offset as i128 + i128::from(self.offset) * 1_000;
        u64::try_from(all.max(0)).unwrap_or(u64::MAX)
    }
}
