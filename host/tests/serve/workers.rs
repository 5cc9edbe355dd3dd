//! Many workers: the distribution of connections, and the cost of a failed worker.

use std::time::{Duration, Instant};

use crate::admin::{Metrics, metrics};
use crate::served::{Client, Served, app, wait_until};

/// Clients of two workers: those of the worker that `harm` hits, and the others.
fn two_workers(options: &[&str]) -> (Served, Vec<Client>) {
    let served = Served::start(
        ["--workers", "2", "--admin", "127.0.0.1:0"]
            .iter()
            .chain(options),
    );
    let mut clients: Vec<Client> = (0..10).map(|_| served.connect()).collect();
    assert!(clients.iter_mut().all(Client::is_served));
    (served, clients)
}

#[track_caller]
fn harm(options: &[&str], order: &str, metric: &str, log: &str) {
    let (served, mut clients) = two_workers(options);
    let admin = crate::admin::address(&served);
    let mut bad = clients.remove(0);
    bad.send(order);
    bad.wait_for_end();
    // The worker's other clients end with it, and no client of the other worker does.
    wait_until(
        || metrics(admin).value(metric) == 1.0,
        || format!("{metric} is not counted: {}", served.log()),
    );
    let live = clients
        .iter_mut()
        .map(Client::is_served)
        .filter(|live| *live)
        .count();
    assert_eq!(live, 5, "{}", served.log());
    let mut new: Vec<Client> = (0..10).map(|_| served.connect()).collect();
    assert!(new.iter_mut().all(Client::is_served), "{}", served.log());
    served.wait_for_log(log);
    wait_until(
        || metrics(admin).workers() == 2,
        || "the worker does not come back".to_owned(),
    );
}

#[test]
fn connections_are_spread_evenly() {
    let served = Served::start(["--workers", "4", "--admin", "127.0.0.1:0"]);
    let mut clients: Vec<Client> = (0..40).map(|_| served.connect()).collect();
    assert!(clients.iter_mut().all(Client::is_served));
    let metrics = metrics(crate::admin::address(&served));
    assert_eq!(
        metrics.all("streams_worker_connections"),
        [10.0; 4],
        "{metrics:?}"
    );
}

#[test]
fn a_trap_costs_the_clients_of_one_worker() {
    harm(
        &[],
        "trap\n",
        "streams_worker_ends_total{cause=\"trap\"}",
        "trapped: ",
    );
}

#[test]
fn memory_beyond_the_limit_costs_the_clients_of_one_worker() {
    harm(
        &["--max-memory", "64M"],
        "hoard\n",
        "streams_worker_ends_total{cause=\"memory\"}",
        "after memory beyond the limit of 67108864 bytes was refused",
    );
}

#[test]
fn an_endless_loop_costs_the_clients_of_one_worker() {
    harm(
        &["--stuck-timeout", "2s"],
        "spin\n",
        "streams_worker_ends_total{cause=\"stuck\"}",
        "it computed for more than 2s without waiting",
    );
}

/// A worker that loops keeps its own clients, and gets no new ones.
#[test]
fn while_one_worker_loops_the_others_serve() {
    let (served, mut clients) = two_workers(&["--stuck-timeout", "30s"]);
    let admin = crate::admin::address(&served);
    clients[0].send("spin\n");
    let is_late = |lag: &f64| *lag > 0.2;
    wait_until(
        || {
            metrics(admin)
                .all("streams_worker_lag_seconds")
                .iter()
                .any(is_late)
        },
        || "no worker is late".to_owned(),
    );
    let begin = Instant::now();
    for _ in 0..20 {
        assert!(served.connect().is_served());
    }
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "they waited for the loop"
    );
}

/// Here serve.wasm accepts one client at a time, so the second one is queued at the worker.
#[test]
fn clients_that_were_not_accepted_survive_a_trap() {
    let served = Served::start_app(app(), ["--workers", "1"], &["--max-connections", "1"]);
    let mut first = served.connect();
    assert!(first.is_served());
    let mut second = served.connect();
    second.send("hello\n");
    first.send("trap\n");
    first.wait_for_end();
    assert_eq!(second.read_line().expect("an answer"), "hello\n");
}

#[test]
fn a_worker_is_replaced_after_many_connections_and_no_client_is_lost() {
    let served = Served::start([
        "--workers",
        "1",
        "--max-requests",
        "5",
        "--admin",
        "127.0.0.1:0",
    ]);
    let admin = crate::admin::address(&served);
    let replaced = || metrics(admin).value("streams_worker_ends_total{cause=\"replaced\"}");
    let mut kept = served.connect();
    // The worker of the kept client cannot end yet, but one after it.
    wait_until(
        || {
            assert!(served.connect().is_served(), "{}", served.log());
            assert!(kept.is_served(), "a client of an old worker goes on");
            replaced() >= 1.0
        },
        || format!("no worker is replaced: {}", served.log()),
    );
    // Only the workers of clients drain.
    let draining = || metrics(admin).value("streams_workers_draining");
    assert!(draining() >= 1.0, "{}", served.log());
    drop(kept);
    wait_until(
        || draining() == 0.0,
        || format!("the worker of the kept client stays: {}", served.log()),
    );
}

#[test]
fn a_worker_is_replaced_when_it_is_old() {
    let served = Served::start([
        "--workers",
        "1",
        "--max-age",
        "200ms",
        "--admin",
        "127.0.0.1:0",
    ]);
    let admin = crate::admin::address(&served);
    let replaced = "streams_worker_ends_total{cause=\"replaced\"}";
    wait_until(
        || {
            assert!(served.connect().is_served(), "{}", served.log());
            metrics(admin).value(replaced) >= 2.0
        },
        || format!("no worker is replaced: {}", served.log()),
    );
}

#[test]
fn an_isolated_connection_fails_alone() {
    let served = Served::start([
        "--workers",
        "1",
        "--isolate",
        "connection",
        "--max-memory",
        "64M",
        "--stuck-timeout",
        "2s",
        "--admin",
        "127.0.0.1:0",
    ]);
    let mut others: Vec<Client> = (0..5).map(|_| served.connect()).collect();
    assert!(others.iter_mut().all(Client::is_served));
    for order in ["trap\n", "hoard\n", "spin\n"] {
        let mut bad = served.connect();
        assert!(bad.is_served());
        bad.send(order);
        // A looping instance does not block the others on its thread.
        assert!(others.iter_mut().all(Client::is_served), "{}", served.log());
        bad.wait_for_end();
        assert!(others.iter_mut().all(Client::is_served), "{}", served.log());
    }
    let admin = crate::admin::address(&served);
    let ended = |metrics: &Metrics| {
        ["trap", "memory", "stuck"]
            .map(|cause| metrics.value(&format!("streams_worker_ends_total{{cause=\"{cause}\"}}")))
    };
    wait_until(
        || ended(&metrics(admin)) == [1.0; 3],
        || format!("{:?} {}", metrics(admin), served.log()),
    );
    drop(others);
    wait_until(
        || metrics(admin).value("streams_connections") == 0.0,
        || "connections stay".to_owned(),
    );
}

#[test]
fn clients_beyond_max_connections_wait_in_the_system() {
    let served = Served::start(["--workers", "1", "--max-connections", "2"]);
    let mut two = [served.connect(), served.connect()];
    assert!(two.iter_mut().all(Client::is_served));
    let mut third = served.connect();
    third.send("hello\n");
    drop(two);
    assert_eq!(third.read_line().expect("an answer"), "hello\n");
}

#[test]
fn each_line_of_output_is_an_event() {
    for (format, expected) in [
        ("text", r"printed\u{1b}[2J"),
        ("json", r#""message":"printed\\u{1b}[2J""#),
    ] {
        let served = Served::start(["--log", format]);
        let mut client = served.connect();
        client.send("print\n");
        assert_eq!(client.read_line().expect("an answer"), "print\n");
        served.wait_for_log(expected);
        for line in served.log().lines() {
            assert!(!line.contains('\u{1b}'), "{line:?}");
            assert!(format == "text" || line.starts_with('{'), "{line}");
            assert!(!line.contains("listening on"), "the host has told: {line}");
        }
    }
}
