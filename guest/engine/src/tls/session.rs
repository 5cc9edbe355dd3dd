//! The state that the two directions of a protected connection share: rustls's connection, and the end of the input.

use std::cell::RefCell;
use std::io::{BufRead, Write};
use std::rc::Rc;
use std::task::{Context, Poll};

use rustls::{Connection, HandshakeKind, ProtocolVersion};

use crate::idle::Activity;
use crate::notify::WakerSlot;
use crate::read_buffers::ReadBuffers;
use crate::transport;
use crate::types::{Error, TlsFailure, TlsInfo, TlsVersion};

use super::{Times, failure, suites};

/// The most bytes that a record adds to its content, and the content of a full record (RFC 8446, 5.1 and 5.2).
const RECORD_OVERHEAD: usize = 64;
const RECORD_SIZE: usize = 16 * 1024;

/// The TLS session of a connection.
#[derive(Clone)]
pub(crate) struct Session(Rc<Inner>);

struct Inner {
    tls: RefCell<Connection>,
    /// The name that this side verifies, if it is a client.
    name: Option<String>,
    times: Times,
    records: RefCell<RecordBuffer>,
    /// How the input ended, `Ok` with `close_notify`; `None` until then.
    end: RefCell<Option<Result<(), Error>>>,
    /// The close that waits for the end of the input.
    ended: WakerSlot,
    /// Called when TLS has control messages to send.
    on_control: RefCell<Option<Rc<dyn Fn()>>>,
    activity: Activity,
}

/// The progress of decrypting the received bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There is plaintext to read.
    Plaintext,
    /// The input has ended.
    Ended,
    /// More input is needed.
    Starved,
}

impl Session {
    pub(super) fn new(
        mut tls: Connection,
        name: Option<String>,
        times: Times,
        activity: Activity,
        buffers: &ReadBuffers,
    ) -> Self {
        // The sink bounds the output, piece by piece.
        tls.set_buffer_limit(None);
        Session(Rc::new(Inner {
            tls: RefCell::new(tls),
            name,
            times,
            records: RefCell::new(RecordBuffer::new(buffers)),
            end: RefCell::default(),
            ended: WakerSlot::default(),
            on_control: RefCell::default(),
            activity,
        }))
    }
}

impl transport::Session for Session {
    fn info(&self) -> TlsInfo {
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

    fn held(&self) -> usize {
        self.0.records.borrow().bytes.len()
    }

    fn can_half_close(&self) -> bool {
        self.0.tls.borrow().protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    fn on_control(&self, act: Box<dyn Fn()>) {
        *self.0.on_control.borrow_mut() = Some(act.into());
        if self.wants_control() {
            self.call_on_control();
        }
    }
}

/// The incoming direction.
impl Session {
    /// Adds bytes from the network, for [`Session::advance`].
    pub(super) fn feed(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.0.activity.mark();
        }
        self.0.records.borrow_mut().put(bytes);
    }

    /// Processes the received bytes until there is plaintext or nothing is left.
    pub(super) fn advance(&self) -> Step {
        let (step, control) = self.advance_quietly();
        if control {
            self.call_on_control();
        }
        if step == Step::Ended {
            self.0.ended.wake();
        }
        step
    }

    fn advance_quietly(&self) -> (Step, bool) {
        let mut tls = self.0.tls.borrow_mut();
        let mut records = self.0.records.borrow_mut();
        let mut end = self.0.end.borrow_mut();
        let step = loop {
            if has_plaintext(&mut tls) {
                break Step::Plaintext;
            }
            if end.is_some() {
                records.clear();
                break Step::Ended;
            }
            let mut rest = records.rest();
            if rest.is_empty() {
                records.clear();
                break Step::Starved;
            }
            let before = rest.len();
            let read = tls.read_tls(&mut rest);
            let taken = before.saturating_sub(rest.len());
            records.advance(taken);
            match tls.process_new_packets() {
                Ok(state) if state.peer_has_closed() => *end = Some(Ok(())),
                Ok(_) if read.is_ok() && taken > 0 => {}
                // rustls takes no more bytes and made nothing of those it has: a message without end.
                Ok(_) => {
                    let message = "a message is larger than allowed".into();
                    *end = Some(Err(failure::tls(TlsFailure::Protocol, message)));
                }
                Err(cause) => *end = Some(Err(failure::error(&cause))),
            }
        };
        (step, tls.wants_write())
    }

    /// Fills the spare capacity of `into` with the plaintext that has arrived.
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

    /// Returns how the input ended; `None` until then.
    pub(super) fn end(&self) -> Option<Result<(), Error>> {
        self.0.end.borrow().clone()
    }

    /// Records that the network has no more bytes. Returns how the input ended.
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
    /// Returns whether the handshake is still in progress.
    pub(super) fn is_handshaking(&self) -> bool {
        self.0.tls.borrow().is_handshaking()
    }

    /// Returns the records of `plaintext` and of TLS's own messages.
    pub(super) fn protect(&self, plaintext: &[u8]) -> Vec<u8> {
        let mut tls = self.0.tls.borrow_mut();
        let mut rest = plaintext;
        while !rest.is_empty() {
            match tls.writer().write(rest) {
                Ok(n) if n > 0 => rest = rest.get(n..).unwrap_or_default(),
                // Without a limit, rustls takes everything.
                Ok(_) | Err(_) => break,
            }
        }
        records(&mut tls, plaintext.len())
    }

    /// Returns the records that end the output.
    pub(super) fn close_notify(&self) -> Vec<u8> {
        let mut tls = self.0.tls.borrow_mut();
        tls.send_close_notify();
        records(&mut tls, 0)
    }

    /// Returns whether TLS has control messages to send.
    pub(super) fn wants_control(&self) -> bool {
        self.0.tls.borrow().wants_write()
    }

    fn call_on_control(&self) {
        let act = self.0.on_control.borrow().clone();
        if let Some(act) = act {
            act();
        }
    }

    /// Returns for how many nanoseconds a close waits for the peer's end; `None` if it does not wait.
    pub(super) fn wait_for_peer(&self) -> Option<u64> {
        let Times {
            wait_for_peer,
            shutdown,
            ..
        } = self.0.times;
        wait_for_peer.then_some(shutdown)
    }

    /// Polls for the end of the input, which another task reads.
    pub(super) fn poll_ended(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.0.ended.register(cx);
        self.end().map_or(Poll::Pending, Poll::Ready)
    }
}

fn has_plaintext(tls: &mut Connection) -> bool {
    tls.reader().fill_buf().is_ok_and(|bytes| !bytes.is_empty())
}

/// Returns all records that are ready to be sent; `of` is the length of the plaintext in them.
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

/// The record buffer: received bytes that were not decrypted yet.
struct RecordBuffer {
    bytes: Vec<u8>,
    at: usize,
    buffers: ReadBuffers,
}

impl RecordBuffer {
    fn new(buffers: &ReadBuffers) -> Self {
        RecordBuffer {
            bytes: Vec::new(),
            at: 0,
            buffers: buffers.clone(),
        }
    }

    fn put(&mut self, bytes: Vec<u8>) {
        if self.rest().is_empty() {
            self.clear();
            self.bytes = bytes;
        } else {
            self.bytes.extend_from_slice(&bytes);
            self.buffers.give_back(bytes);
        }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
    }

    fn clear(&mut self) {
        self.at = 0;
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() > 0 {
            self.buffers.give_back(bytes);
        }
    }
}
