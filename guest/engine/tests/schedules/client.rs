//! Clients: they connect, perhaps cancel, and start both sides of their connections.

use std::rc::Rc;

use asyncio_streams_engine::ConnectOptions;
use asyncio_streams_engine::testing::{Host, Random, Task};
use asyncio_streams_engine::types::Address;

use crate::ledger::{End, Entry};
use crate::support::{Reader, SECOND, SERVER, Writer, interrupted};
use crate::{Plan, receiver, sender};

pub(crate) async fn run(plan: Plan, host: Host, number: usize, port: u16) {
    let mut random = plan.random(number as u64);
    let mut options = ConnectOptions::default();
    // A full backlog, or a server at its maximum, delays the connection.
    options.set_deadline(Some(SECOND * (1 + random.below(100) as u64)));
    if random.once_in(3) {
        options
            .set_limit(1 + random.below(500) as u32)
            .expect("not 0");
    }
    if random.once_in(4) {
        options.set_close_deadline(Some(SECOND));
    }
    let opening = plan.engine.open_connection(SERVER, port, options);
    let opened = if random.once_in(8) {
        let k = random.below(20);
        interrupted(opening, k).await
    } else {
        Some(opening.await)
    };
    if let Some(Ok((reader, writer))) = opened {
        let sides = begin(
            &plan,
            &host,
            End::Client,
            (reader.into(), writer.into()),
            random,
        );
        for side in sides {
            side.await;
        }
    }
}

/// Starts to send and to receive on a connection.
pub(crate) fn begin(
    plan: &Plan,
    host: &Host,
    end: End,
    (reader, writer): (Reader, Writer),
    mut random: Random,
) -> [Task<()>; 2] {
    let name = match end {
        End::Client => writer.sockname(),
        End::Server => writer.peername(),
    };
    let Some(Address::Inet(address)) = name else {
        panic!("a connection without names");
    };
    let (reader, writer) = (Rc::new(reader), Rc::new(writer));
    let sends = Random::new(random.number());
    let sent = Entry::sent_by(end, address.port);
    let received = Entry::received_by(end, address.port);
    plan.ledger.begun(sent);
    [
        plan.network
            .spawn(sender::run(plan.clone(), host.clone(), writer, sent, sends)),
        plan.network.spawn(receiver::run(
            plan.clone(),
            host.clone(),
            reader,
            received,
            random,
        )),
    ]
}
