// SPDX-License-Identifier: MIT OR Apache-2.0
//! The life of one flow: by which packets it goes on, and by which it ends.
//!
//! Apart from the table, because whoever follows flows otherwise (a capture has no ports, and translated flows) goes by the same rules
//! (hns-behaviour 4.16 and Q10). One byte, and no clock: when the flow was last used is kept by whoever follows it.

use super::TcpFlags;
use crate::flow::Direction;

/// How long the last packets of a closed TCP connection still pass, in milliseconds (a guess: the record says nothing; a few
/// retransmissions of the last FIN fit in).
pub const LINGER_MS: u64 = 10_000;

/// What the packets of a flow said of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life(u8);

/// Opened by an outward packet; closed; in the list of the closed; a FIN was seen inward; outward.
const OPENED_OUT: u8 = 1;
const CLOSED: u8 = 2;
const LISTED_CLOSED: u8 = 4;
const FIN_IN: u8 = 8;
const FIN_OUT: u8 = 16;

/// Where a flow is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Packets keep it alive.
    Open,
    /// A TCP connection that is over: the last packets pass for a while.
    Closed,
}

impl Life {
    /// One that begins with a packet in this direction, which is still to be noted.
    pub fn opened_by(direction: Direction) -> Self {
        Life(match direction {
            Direction::In => 0,
            Direction::Out => OPENED_OUT,
        })
    }

    /// The direction of the packet that opened it.
    pub fn opened(self) -> Direction {
        match self.0 & OPENED_OUT {
            0 => Direction::In,
            _ => Direction::Out,
        }
    }

    /// Where it is in its life.
    pub fn stage(self) -> Stage {
        match self.0 & CLOSED {
            0 => Stage::Open,
            _ => Stage::Closed,
        }
    }

    /// Whether a packet now is still one of this flow, which was last used (of a closed one: closed) at `last_ms`. A SYN on a closed connection is
    /// the first packet of another one.
    #[inline]
    pub fn passes(self, tcp: TcpFlags, last_ms: u64, idle_ms: u64, now_ms: u64) -> bool {
        let age = now_ms.saturating_sub(last_ms);
        match self.stage() {
            Stage::Open => age <= idle_ms,
            Stage::Closed => age <= LINGER_MS && !tcp.syn,
        }
    }

    /// Follows the connection: it is over after a RST, or a FIN from both sides.
    #[inline]
    pub fn note(&mut self, direction: Direction, tcp: TcpFlags) {
        if tcp.fin {
            self.0 |= match direction {
                Direction::In => FIN_IN,
                Direction::Out => FIN_OUT,
            };
        }
        if tcp.rst || self.0 & (FIN_IN | FIN_OUT) == FIN_IN | FIN_OUT {
            self.0 |= CLOSED;
        }
    }

    /// The list of a table that the flow is in. It stands here, as an entry of a table has no byte to spare.
    pub(super) fn listed(self) -> Stage {
        match self.0 & LISTED_CLOSED {
            0 => Stage::Open,
            _ => Stage::Closed,
        }
    }

    pub(super) fn list(&mut self, stage: Stage) {
        match stage {
            Stage::Open => self.0 &= !LISTED_CLOSED,
            Stage::Closed => self.0 |= LISTED_CLOSED,
        }
    }
}
