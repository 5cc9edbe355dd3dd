//! A TCP connection: two sides, and a flow of bytes in each direction.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::task::Waker;

use crate::errors::SocketError;

use super::faults::{CutKind, Faults};
use super::flow::Flow;
use super::world::{Kept, World};

/// One of the two sides: 0 has connected, 1 was connected to.
pub(super) type SideOf = usize;

pub(super) struct Link {
    pub(super) world: Rc<World>,
    pub(super) state: RefCell<State>,
    busy: Cell<bool>,
    this: Weak<Link>,
}

pub(super) struct State {
    pub(super) sides: [Side; 2],
    /// The bytes from side 0, and those from side 1.
    pub(super) flows: [Flow; 2],
}

pub(super) struct Side {
    pub(super) address: SocketAddr,
    /// The number of objects that keep the side open: its socket, its streams, and cancelled operations.
    open: usize,
    /// The connection was reset for this side.
    pub(super) reset: bool,
    /// The error that was not reported yet. The system reports it once.
    pub(super) error: Option<SocketError>,
    /// The waker of a test's peer that waits for a change.
    peer: Option<Waker>,
    /// The side resets the connection between this turn and the next.
    resets: bool,
    /// Objects that are kept until the side is closed: its port.
    kept: Vec<Kept>,
}

impl Side {
    fn new(address: SocketAddr) -> Self {
        Side {
            address,
            open: 0,
            reset: false,
            error: None,
            peer: None,
            resets: false,
            kept: Vec::new(),
        }
    }

    /// Returns whether nothing of the side is left.
    pub(super) fn is_closed(&self) -> bool {
        self.open == 0
    }
}

impl Link {
    pub(super) fn new(world: &Rc<World>, addresses: [SocketAddr; 2]) -> Rc<Self> {
        let rules = world.rules.borrow();
        let flow = |from: SideOf| {
            let faults = rules.faults[from].clone();
            Flow::new(rules.send_window, rules.receive_window, faults)
        };
        let link = Rc::new_cyclic(|this| Link {
            world: world.clone(),
            state: RefCell::new(State {
                sides: addresses.map(Side::new),
                flows: [flow(0), flow(1)],
            }),
            busy: Cell::new(false),
            this: this.clone(),
        });
        world.links.borrow_mut().push(Rc::downgrade(&link));
        link
    }

    /// Schedules the connection for the next delivery.
    pub(super) fn mark_busy(&self) {
        if !self.busy.replace(true)
            && let Some(link) = self.this.upgrade()
        {
            self.world.add_busy(link);
        }
    }

    /// Keeps a side open until the guard is dropped.
    pub(super) fn hold(self: &Rc<Self>, side: SideOf) -> Hold {
        self.state.borrow_mut().sides[side].open += 1;
        Hold {
            link: self.clone(),
            side,
        }
    }

    /// Keeps an object until the side is closed.
    pub(super) fn keep(&self, side: SideOf, kept: Kept) {
        self.state.borrow_mut().sides[side].kept.push(kept);
    }

    /// Makes the side reset the connection between this turn and the next.
    pub(super) fn reset_from(&self, side: SideOf) {
        self.state.borrow_mut().sides[side].resets = true;
        self.mark_busy();
    }

    /// Replaces the faults of the flow from a side.
    pub(super) fn set_faults(&self, from: SideOf, faults: Faults) {
        self.state.borrow_mut().flows[from].set_faults(faults);
        self.mark_busy();
    }

    /// Wakes a peer of a test when anything has changed for its side.
    pub(super) fn wait_as_peer(&self, side: SideOf, waker: &Waker) {
        self.state.borrow_mut().sides[side].peer = Some(waker.clone());
    }

    /// Moves everything that can move. Returns whether anything has moved.
    pub(super) fn step(self: &Rc<Self>) -> bool {
        self.busy.set(false);
        let mut moved = false;
        {
            let mut state = self.state.borrow_mut();
            for side in [0, 1] {
                if std::mem::take(&mut state.sides[side].resets) {
                    state.reset(1 - side, self.discards());
                    state.reset_own(side);
                    moved = true;
                }
            }
            for from in [0, 1] {
                moved |= self.step_flow(&mut state, from);
            }
        }
        if moved {
            let mut state = self.state.borrow_mut();
            for side in &mut state.sides {
                if let Some(waker) = side.peer.take() {
                    waker.wake();
                }
            }
        }
        moved
    }

    fn step_flow(self: &Rc<Self>, state: &mut State, from: SideOf) -> bool {
        let (world, to) = (&self.world, 1 - from);
        let mut moved = false;
        loop {
            let (sender_reset, receiver_reset) = (state.sides[from].reset, state.sides[to].reset);
            let closed = state.sides[to].is_closed();
            let flow = &mut state.flows[from];
            let mut more = flow.take_from_writer(world, sender_reset);
            if !receiver_reset && !sender_reset {
                let delivery = flow.deliver(world, closed);
                more |= delivery.moved;
                if let Some(moment) = delivery.again_at {
                    world.timers.look_at(moment, self.clone());
                }
                if delivery.next_turn {
                    self.mark_busy();
                }
                if delivery.unwanted {
                    // The bytes are for a socket that is gone.
                    state.reset(from, self.discards());
                    state.flows[from].drop_sending();
                    more = true;
                }
                if delivery.cut == Some(CutKind::Reset) {
                    state.reset(0, self.discards());
                    state.reset(1, self.discards());
                    more = true;
                }
            }
            let receiver_reset = state.sides[to].reset;
            more |= state.flows[from].give_to_reader(world, receiver_reset);
            moved |= more;
            if !more {
                return moved;
            }
        }
    }

    fn discards(&self) -> bool {
        self.world.rules.borrow().reset_discards
    }
}

impl State {
    /// Resets the connection for `side`, as caused by the other side or the network. Bytes in transit are lost; with
    /// `discards`, also those that have arrived.
    fn reset(&mut self, side: SideOf, discards: bool) {
        if self.sides[side].reset || self.sides[side].is_closed() {
            return;
        }
        self.sides[side].reset = true;
        self.sides[side].error = Some(SocketError::ConnectionReset);
        self.flows[side].drop_sending();
        self.flows[1 - side].drop_sending();
        if discards {
            self.flows[1 - side].drop_arrived();
        }
    }

    /// Resets the connection, as caused by `side` itself.
    fn reset_own(&mut self, side: SideOf) {
        self.sides[side].reset = true;
        self.flows[side].drop_sending();
        self.flows[1 - side].drop_arrived();
    }
}

/// Keeps a side of a connection open. When the last guard is dropped, the side is closed: its output ends, and unread
/// input resets the connection.
pub(super) struct Hold {
    pub(super) link: Rc<Link>,
    pub(super) side: SideOf,
}

impl Clone for Hold {
    fn clone(&self) -> Self {
        self.link.hold(self.side)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.link.state.borrow_mut();
        let side = &mut state.sides[self.side];
        side.open -= 1;
        if side.open > 0 {
            return;
        }
        let unread = state.flows[1 - self.side].has_arrived() && !state.sides[self.side].reset;
        if unread {
            // The system resets the connection, and drops the bytes that it has not sent (RFC 2525, 2.17).
            state.reset(1 - self.side, self.link.discards());
            state.reset_own(self.side);
        }
        state.flows[self.side].end();
        let kept = std::mem::take(&mut state.sides[self.side].kept);
        drop(state);
        drop(kept);
        self.link.mark_busy();
    }
}
