//! What the two directions of a protected connection share: rustls's connection, and how the input ended.

use std::cell::RefCell;
use std::io::{BufRead, Write};
use std::rc::Rc;
use std::task::Context;

use rustls::{Connection, HandshakeKind, ProtocolVersion};

use crate::activity::Activity;
use crate::bindings::exports::asyncio::streams::tls::{TlsInfo, TlsVersion};
use crate::bindings::exports::asyncio::streams::types::{Error, TlsFailure};
use crate::signal::{Waiters, WakerSlot};
use crate::transport::read_buffers;

use super::{Times, failure, suites};

/// Bytes that a record adds to its content at the most, and how many bytes a record holds (RFC 8446, 5.1 and 5.2).
const RECORD_OVERHEAD: usize = 64;
const RECORD_SIZE: usize = 16 * 1024;

/// What protects a connection.
#[derive(Clone)]
pub(crate) struct Session(Rc<Inner>);

pub(super) struct Inner {
    tls: RefCell<Connection>,
    /// The name that this side, a client, verifies.
    name: Option<String>,
    times: Times,
    ahead: RefCell<Ahead>,
    /// How the input ended, once it has: `Ok` by `close_notify`.
    end: RefCell<Option<Result<(), Error>>>,
    /// Those who wait for that.
    ended: Waiters,
    /// The task that writes.
    speaker: WakerSlot,
    activity: Activity,
}

impl Inner {
    pub(super) fn new(
        mut tls: Connection,
        name: Option<String>,
        times: Times,
        activity: Activity,
    ) -> Self {
        // What is to be sent is bounded by whoever hands it over, piece by piece.
        tls.set_buffer_limit(None);
        Inner {
            tls: RefCell::new(tls),
            name,
            times,
            ahead: RefCell::default(),
            end: RefCell::default(),
            ended: Waiters::default(),
            speaker: WakerSlot::default(),
            activity,
        }
    }
}

/// How far the ciphertext goes that has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There is something to read.
    Plaintext,
    /// The input has ended.
    Ended,
    /// More has to come first.
    Starved,
}

/// For those above.
impl Session {
    pub(super) fn new(inner: Rc<Inner>) -> Self {
        Session(inner)
    }

    /// What the handshake has agreed on.
    pub(crate) fn info(&self) -> TlsInfo {
        let tls = self.0.tls.borrow();
        let asked = match &*tls {
            Connection::Client(_) => self.0.name.clone(),
            Connection::Server(server) => server.server_name().map(str::to_owned),
        };
        let certificates = tls.peer_certificates().unwrap_or_default();
        TlsInfo {
            version: match tls.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => TlsVersion::Tls13,
                _ => TlsVersion::Tls12,
            },
            suite: tls
                .negotiated_cipher_suite()
                .map(|suite| suites::name(suite.suite()))
                .unwrap_or_default(),
            alpn: tls
                .alpn_protocol()
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            server_name: asked,
            peer_certificates: certificates.iter().map(|der| der.to_vec()).collect(),
            resumed: tls.handshake_kind() == Some(HandshakeKind::Resumed),
        }
    }

    /// Bytes that have come and were not looked at yet.
    pub(crate) fn held(&self) -> usize {
        self.0.ahead.borrow().bytes.len()
    }

    /// Whether one direction can end before the other (RFC 8446, 6.1).
    pub(crate) fn can_half_close(&self) -> bool {
        self.0.tls.borrow().protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }
}

/// The incoming direction.
impl Session {
    /// Takes bytes from the network, to be looked at by [`Session::advance`].
    pub(super) fn feed(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.0.activity.mark();
        }
        self.0.ahead.borrow_mut().put(bytes);
    }

    /// Goes through what has come, until there is something to read or nothing is left.
    pub(super) fn advance(&self) -> Step {
        let (step, speaks) = self.advance_quietly();
        if speaks {
            self.0.speaker.wake();
        }
        if step == Step::Ended {
            self.0.ended.wake();
        }
        step
    }

    fn advance_quietly(&self) -> (Step, bool) {
        let mut tls = self.0.tls.borrow_mut();
        let mut ahead = self.0.ahead.borrow_mut();
        let mut end = self.0.end.borrow_mut();
        let step = loop {
            if has_plaintext(&mut tls) {
                break Step::Plaintext;
            }
            if end.is_some() {
                ahead.clear();
                break Step::Ended;
            }
            let mut rest = ahead.rest();
            if rest.is_empty() {
                ahead.clear();
                break Step::Starved;
            }
            let before = rest.len();
            let read = tls.read_tls(&mut rest);
            let taken = before.saturating_sub(rest.len());
            ahead.advance(taken);
            match tls.process_new_packets() {
                Ok(state) if state.peer_has_closed() => *end = Some(Ok(())),
                Ok(_) if read.is_ok() && taken > 0 => {}
                // It takes no more, and nothing came of what it has: a message without end.
                Ok(_) => {
                    let message = "a message is larger than any may be".into();
                    *end = Some(Err(failure::tls(TlsFailure::Protocol, message)));
                }
                Err(cause) => *end = Some(Err(failure::error(&cause))),
            }
        };
        (step, tls.wants_write())
    }

    /// Fills the spare capacity of `into`, as far as what has come goes.
    pub(super) fn take(&self, into: &mut Vec<u8>) {
        loop {
            {
                let mut tls = self.0.tls.borrow_mut();
                let mut reader = tls.reader();
                while let Ok(bytes) = reader.fill_buf()
                    && !bytes.is_empty()
                {
                    let room = into.capacity().saturating_sub(into.len());
                    let n = room.min(bytes.len());
                    into.extend_from_slice(bytes.get(..n).unwrap_or_default());
                    reader.consume(n);
                    if n == 0 {
                        return;
                    }
                }
            }
            if self.advance() != Step::Plaintext {
                return;
            }
        }
    }

    /// How the input ended, once it has.
    pub(super) fn end(&self) -> Option<Result<(), Error>> {
        self.0.end.borrow().clone()
    }

    /// The network has no more bytes; gives how the input ended.
    pub(super) fn network_ended(&self, outcome: Result<(), Error>) -> Result<(), Error> {
        let end = {
            let mut slot = self.0.end.borrow_mut();
            let end = slot.get_or_insert_with(|| outcome.and_then(|()| Err(failure::truncated())));
            end.clone()
        };
        self.0.ended.wake();
        end
    }
}

/// The outgoing direction.
impl Session {
    /// Whether the handshake is not done yet.
    pub(super) fn is_handshaking(&self) -> bool {
        self.0.tls.borrow().is_handshaking()
    }

    /// The records that are to be sent, made of `plaintext` and of what TLS itself has to say.
    pub(super) fn protect(&self, plaintext: &[u8]) -> Vec<u8> {
        let mut tls = self.0.tls.borrow_mut();
        let mut rest = plaintext;
        while !rest.is_empty() {
            match tls.writer().write(rest) {
                Ok(n) if n > 0 => rest = rest.get(n..).unwrap_or_default(),
                // Without a limit it takes all.
                Ok(_) | Err(_) => break,
            }
        }
        records(&mut tls, plaintext.len())
    }

    /// The records with which the output ends.
    pub(super) fn close_notify(&self) -> Vec<u8> {
        let mut tls = self.0.tls.borrow_mut();
        tls.send_close_notify();
        records(&mut tls, 0)
    }

    /// Whether TLS has something to say by itself; `cx`'s task is woken when it has.
    pub(crate) fn wants_to_speak(&self, cx: &Context<'_>) -> bool {
        self.0.speaker.register(cx);
        self.0.tls.borrow().wants_write()
    }

    /// Nanoseconds that a close waits for the peer's end, if it does.
    pub(super) fn wait_for_peer(&self) -> Option<u64> {
        let Times {
            wait_for_peer,
            shutdown,
            ..
        } = self.0.times;
        wait_for_peer.then_some(shutdown)
    }

    /// Waits for the end of the input, which somebody else has to read.
    pub(super) async fn ended(&self) -> Result<(), Error> {
        self.0.ended.until(|| self.end()).await
    }
}

fn has_plaintext(tls: &mut Connection) -> bool {
    tls.reader().fill_buf().is_ok_and(|bytes| !bytes.is_empty())
}

/// Everything that is to be sent, made of so many bytes.
fn records(tls: &mut Connection, of: usize) -> Vec<u8> {
    if !tls.wants_write() {
        return Vec::new();
    }
    let overhead = of.div_ceil(RECORD_SIZE).saturating_add(1);
    let size = overhead.saturating_mul(RECORD_OVERHEAD).saturating_add(of);
    let mut records = Vec::with_capacity(size);
    while tls.wants_write() {
        // Writing to memory does not fail.
        if !tls.write_tls(&mut records).is_ok_and(|n| n > 0) {
            break;
        }
    }
    records
}

/// Ciphertext that has come and was not looked at yet.
#[derive(Default)]
struct Ahead {
    bytes: Vec<u8>,
    at: usize,
}

impl Ahead {
    fn put(&mut self, bytes: Vec<u8>) {
        if self.rest().is_empty() {
            self.clear();
            *self = Ahead { bytes, at: 0 };
        } else {
            self.bytes.extend_from_slice(&bytes);
            read_buffers::give_back(bytes);
        }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
    }

    fn clear(&mut self) {
        let Ahead { bytes, .. } = std::mem::take(self);
        if bytes.capacity() > 0 {
            read_buffers::give_back(bytes);
        }
    }
}
