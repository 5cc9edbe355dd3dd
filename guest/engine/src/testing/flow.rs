//! One direction of a connection: from the write of one side to the read of the other.

use std::collections::VecDeque;

use super::contract::Waiting;
use super::faults::{Cut, CutKind, Faults};
use super::world::{Kept, World};

pub(super) struct Flow {
    /// Bytes that the sender's system has taken.
    sending: VecDeque<u8>,
    send_window: usize,
    /// Bytes that have reached the receiver's system.
    arrived: VecDeque<u8>,
    receive_window: usize,
    /// The sender has ended.
    ended: bool,
    /// The end has arrived.
    end_arrived: bool,
    pub(super) writing: Option<Writing>,
    pub(super) reading: Option<Reading>,
    faults: Faults,
    /// Bytes that have arrived so far.
    delivered: u64,
    /// Nothing is delivered before this time.
    pause_until: u64,
    /// The receiver has seen an end that the sender did not send.
    cut_off: bool,
}

/// The write of a sink: its bytes, and its progress.
pub(super) struct Writing {
    pub(super) bytes: Vec<u8>,
    /// The number of bytes that the system has taken.
    pub(super) taken: usize,
    /// The number of these that were reported to the engine.
    pub(super) told: usize,
    /// An operation of the host is pending.
    pub(super) pending: bool,
    /// The operation has ended, but this was not reported to the engine yet.
    pub(super) arrived: bool,
    pub(super) failed: bool,
    pub(super) waiting: Waiting,
}

impl Writing {
    pub(super) fn rest(&self) -> usize {
        self.bytes.len() - self.taken
    }
}

/// The read of a source: pending, or with a result that was not taken yet.
pub(super) struct Reading {
    pub(super) room: Vec<u8>,
    /// The permit of the room.
    pub(super) permit: Option<Kept>,
    /// The bytes; `None` at the end.
    pub(super) result: Option<Option<Vec<u8>>>,
    pub(super) waiting: Waiting,
}

/// The result of a delivery.
#[derive(Default)]
pub(super) struct Delivery {
    pub(super) moved: bool,
    /// More can be delivered in the next turn.
    pub(super) next_turn: bool,
    /// More can be delivered at this time.
    pub(super) again_at: Option<u64>,
    /// Bytes arrived for a receiver that is gone.
    pub(super) unwanted: bool,
    pub(super) cut: Option<CutKind>,
}

impl Flow {
    pub(super) fn new(send_window: usize, receive_window: usize, faults: Faults) -> Self {
        Flow {
            sending: VecDeque::new(),
            send_window,
            arrived: VecDeque::new(),
            receive_window,
            ended: false,
            end_arrived: false,
            writing: None,
            reading: None,
            faults,
            delivered: 0,
            pause_until: 0,
            cut_off: false,
        }
    }

    pub(super) fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
        self.pause_until = 0;
    }

    pub(super) fn delivered(&self) -> u64 {
        self.delivered
    }

    pub(super) fn has_arrived(&self) -> bool {
        !self.arrived.is_empty()
    }

    /// Takes bytes of the sender, as many as fit into the window. Returns how many.
    pub(super) fn send(&mut self, bytes: &[u8]) -> usize {
        let room = self.send_window.saturating_sub(self.sending.len());
        let n = bytes.len().min(room);
        self.sending.extend(&bytes[..n]);
        n
    }

    /// Returns bytes that have arrived.
    pub(super) fn receive(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        move_bytes(&mut self.arrived, most, |piece| {
            bytes.extend_from_slice(piece)
        });
        bytes
    }

    /// Records that the sender has ended.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.end_arrived && self.arrived.is_empty()
    }

    pub(super) fn drop_sending(&mut self) {
        self.sending.clear();
    }

    pub(super) fn drop_arrived(&mut self) {
        self.arrived.clear();
    }

    /// Continues the pending write. Returns whether it has ended.
    pub(super) fn take_from_writer(&mut self, world: &World, reset: bool) -> bool {
        let Some(writing) = &mut self.writing else {
            return false;
        };
        if !writing.pending {
            return false;
        }
        let room = self.send_window.saturating_sub(self.sending.len());
        if reset {
            writing.failed = true;
        } else if room > 0 && !self.ended {
            let n = world.part(writing.rest().min(room));
            let from = writing.taken;
            self.sending.extend(&writing.bytes[from..from + n]);
            writing.taken += n;
        } else {
            return false;
        }
        writing.pending = false;
        writing.arrived = true;
        writing.waiting.end(world);
        true
    }

    /// Moves bytes, and then the end, from the sender's system to the receiver's.
    pub(super) fn deliver(&mut self, world: &World, receiver_closed: bool) -> Delivery {
        let mut delivery = Delivery::default();
        if self.faults.black_hole {
            return delivery;
        }
        let now = world.timers.now();
        if now < self.pause_until {
            return delivery;
        }
        if self.cut_off {
            // Further bytes are answered with a reset.
            delivery.unwanted = !self.sending.is_empty();
            return delivery;
        }
        let room = self.receive_window.saturating_sub(self.arrived.len());
        let mut n = self.sending.len().min(room);
        if self.faults.byte_by_byte {
            n = n.min(1);
        }
        if let Some(slow) = self.faults.slow {
            n = n.min(slow.bytes.max(1));
        }
        if let Some(Cut { bytes, .. }) = self.faults.cut {
            let left = bytes.saturating_sub(self.delivered);
            n = n.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        if n > 0 && receiver_closed {
            delivery.unwanted = true;
            return delivery;
        }
        if n > 0 {
            let arrived = &mut self.arrived;
            move_bytes(&mut self.sending, n, |piece| arrived.extend(piece));
            self.delivered += n as u64;
            delivery.moved = true;
            if let Some(slow) = self.faults.slow {
                self.pause_until = now + slow.nanoseconds;
                delivery.again_at = Some(self.pause_until);
            }
        }
        if let Some(Cut { bytes, what }) = self.faults.cut
            && self.delivered >= bytes
        {
            self.faults.cut = None;
            delivery.cut = Some(what);
            delivery.moved = true;
            match what {
                CutKind::End => {
                    self.end_arrived = true;
                    self.cut_off = true;
                }
                CutKind::BlackHole => self.faults.black_hole = true,
                CutKind::Reset => {}
            }
            return delivery;
        }
        if self.faults.byte_by_byte && delivery.moved {
            delivery.next_turn = true;
        } else if self.sending.is_empty() && self.ended && !self.end_arrived {
            self.end_arrived = true;
            delivery.moved = true;
        }
        delivery
    }

    /// Ends the pending read, if there is something for it. Returns whether it has ended.
    pub(super) fn give_to_reader(&mut self, world: &World, reset: bool) -> bool {
        let over = reset || self.is_at_end();
        let Some(reading) = &mut self.reading else {
            return false;
        };
        if reading.result.is_some() {
            return false;
        }
        if !self.arrived.is_empty() {
            let mut room = std::mem::take(&mut reading.room);
            let most = (room.capacity() - room.len()).min(self.arrived.len());
            let n = world.part(most);
            move_bytes(&mut self.arrived, n, |piece| room.extend_from_slice(piece));
            reading.result = Some(Some(room));
        } else if over {
            reading.result = Some(None);
        } else {
            return false;
        }
        reading.permit = None;
        reading.waiting.end(world);
        true
    }
}

/// Takes at most `most` bytes from the front, in two pieces.
fn move_bytes(from: &mut VecDeque<u8>, most: usize, mut to: impl FnMut(&[u8])) {
    let n = most.min(from.len());
    let (one, two) = from.as_slices();
    let first = one.len().min(n);
    to(&one[..first]);
    to(&two[..n - first]);
    from.drain(..n);
}
