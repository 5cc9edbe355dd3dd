//! The server: it accepts at random, and ends when all clients have ended.

use std::cell::Cell;
use std::rc::Rc;

use asyncio_streams_engine::ServerOptions;

use crate::ledger::End;
use crate::support::{Error, SERVER, Server, interrupted, turns};
use crate::{Plan, client};

pub(crate) async fn run(plan: Plan) {
    let (here, there) = plan.hosts.clone();
    let mut random = plan.random(1_000);
    let mut options = ServerOptions::default();
    options.set_idle_timeout(plan.idle_timeout);
    if let Some(most) = plan.max_connections {
        options.set_max_connections(most).expect("not 0");
    }
    if random.once_in(3) {
        options
            .set_backlog(1 + random.below(4) as u32)
            .expect("not 0");
    }
    if random.once_in(3) {
        options
            .set_limit(1 + random.below(500) as u32)
            .expect("not 0");
    }
    let server = plan
        .other
        .start_server(&[SERVER.to_owned()], 0, options)
        .await
        .expect("a free port");
    let server: Rc<Server> = Rc::new(server.into());
    let port = server.port();

    let done = Rc::new(Cell::new(false));
    let clients: Vec<_> = (0..plan.connections)
        .map(|number| {
            plan.network
                .spawn(client::run(plan.clone(), here.clone(), number, port))
        })
        .collect();
    let ending = {
        let (server, done) = (server.clone(), done.clone());
        let network = plan.network.clone();
        plan.network.spawn(async move {
            for client in clients {
                client.await;
            }
            // Clients may have left connections in the backlog. They are still accepted, without effect.
            network.sleep(1_000_000_000).await;
            done.set(true);
            server.cancel();
        })
    };

    let mut sides = Vec::new();
    while !done.get() {
        let accepted = match random.below(5) {
            0 => {
                let k = random.below(10);
                interrupted(server.accept(), k).await.transpose()
            }
            1 => match server.wait_connection().await {
                Ok(()) => server.try_accept(),
                Err(error) => Err(error),
            },
            2 => {
                turns(random.below(20)).await;
                server.try_accept()
            }
            _ => server.accept().await.map(Some),
        };
        match accepted {
            Ok(Some(pair)) => {
                let sender_and_receiver = client::begin(
                    &plan,
                    &there,
                    End::Server,
                    pair,
                    plan.random(2_000 + random.number() % 1_000),
                );
                sides.extend(sender_and_receiver);
            }
            Ok(None) | Err(Error::Cancelled) => {}
            Err(error) => panic!("accept: {error:?}"),
        }
    }
    ending.await;
    if random.once_in(2) {
        server.close();
    } else {
        server.shutdown(random.below(5) as u64 * 100_000_000).await;
    }
    if plan.lossy {
        // The network has swallowed bytes; waiting for them would never end.
        server.abort_clients();
    }
    for side in sides {
        side.await;
    }
    server.close();
    server.wait_closed().await;
}
