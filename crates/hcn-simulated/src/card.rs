// SPDX-License-Identifier: MIT OR Apache-2.0
//! The network card of a stack: two queues of frames.
//!
//! Apart, because it is where a stack ends and the fabric begins. A card never refuses a frame and never loses one.

use std::collections::VecDeque;

use smoltcp::{
    phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken},
    time::Instant,
};

/// The queues.
#[derive(Debug)]
pub(crate) struct Card {
    medium: Medium,
    received: VecDeque<Vec<u8>>,
    sent: Vec<Vec<u8>>,
}

/// Largest IP packet that a card carries, in bytes: Ethernet's.
pub(crate) const LARGEST_PACKET: usize = 1500;

const ETHERNET_HEADER: usize = 14;

impl Card {
    pub(crate) fn new(medium: Medium) -> Self {
        Card {
            medium,
            received: VecDeque::new(),
            sent: Vec::new(),
        }
    }

    /// Puts a frame where the stack will find it.
    pub(crate) fn deliver(&mut self, frame: Vec<u8>) {
        self.received.push_back(frame);
    }

    /// The frames that the stack sent since the last call, in order.
    pub(crate) fn take_sent(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.sent)
    }
}

impl Device for Card {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sender<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sender<'_>)> {
        let frame = self.received.pop_front()?;
        Some((Received(frame), Sender(&mut self.sent)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sender<'_>> {
        Some(Sender(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = self.medium;
        capabilities.max_transmission_unit = match self.medium {
            Medium::Ethernet => LARGEST_PACKET + ETHERNET_HEADER,
            Medium::Ip => LARGEST_PACKET,
        };
        capabilities
    }
}

/// A frame on its way into the stack.
pub(crate) struct Received(Vec<u8>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

/// Room for a frame on its way out of the stack.
pub(crate) struct Sender<'a>(&'a mut Vec<Vec<u8>>);

impl TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut frame = vec![0; length];
        let result = write(&mut frame);
        self.0.push(frame);
        result
    }
}
