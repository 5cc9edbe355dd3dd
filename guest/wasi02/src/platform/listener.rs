//! A listening socket.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use asyncio_streams_engine::platform;

use crate::bindings::wasi::sockets::network::ErrorCode;
use crate::bindings::wasi::sockets::tcp;
use crate::interest::Interest;
use crate::reactor;

use super::socket::{FailedSocket, TcpSocket};

/// A listening `tcp-socket`. Fields are dropped in this order: the pollable first.
pub(super) struct Listener {
    interest: Interest,
    socket: Rc<tcp::TcpSocket>,
}

impl Listener {
    pub(super) fn new(socket: Rc<tcp::TcpSocket>) -> Self {
        Listener {
            interest: Interest::default(),
            socket,
        }
    }
}

impl platform::Listener for Listener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Box<dyn platform::StreamSocket>> {
        loop {
            let accepted = self.socket.accept();
            if !matches!(accepted, Err(ErrorCode::WouldBlock)) {
                reactor::progress();
            }
            match accepted {
                Ok((socket, input, output)) => {
                    let accepted = TcpSocket::connected(Rc::new(socket), input, output);
                    return Poll::Ready(Box::new(accepted));
                }
                Err(ErrorCode::WouldBlock) => {
                    let socket = &self.socket;
                    ready!(self.interest.poll(cx, || socket.subscribe()));
                }
                // The peer was gone before it was accepted.
                Err(ErrorCode::ConnectionAborted) => {}
                Err(_) => return Poll::Ready(Box::new(FailedSocket)),
            }
        }
    }

    fn leave(&mut self) {
        self.interest.leave();
    }
}
