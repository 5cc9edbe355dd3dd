//! Many connections at once: a thousand in each direction, ten thousand silent ones, and a crowd that sends as slowly
//! as possible. The measurements are printed; the tests check that every client receives the right bytes.
#![cfg(target_os = "linux")]

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use asyncio_streams_tests::peers::{Conn, Crowd, Gate, PATIENCE, Peer, pattern};
use asyncio_streams_tests::resources::{peak_memory, raise_descriptors};
use asyncio_streams_tests::{In, Program, Running, wasmtime};

const THOUSAND: usize = 1000;
const SIZE: usize = 10_000;

/// One at a time: the tests need the machine's descriptors, and would disturb each other's figures.
fn take_turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether this process and those that it starts can have this many descriptors.
fn descriptors(wanted: u64) -> bool {
    let enough = raise_descriptors(wanted);
    if !enough {
        eprintln!("LEFT OUT, since this process may not have {wanted} descriptors (ulimit -n)");
    }
    enough
}

fn start(place: In) -> (Running, SocketAddr) {
    let program = Program::handler("serve_echo").args(["127.0.0.1:0"]);
    let mut server = program.start(place);
    let address = server.listens();
    (server, address)
}

/// Sends a line and waits for its echo; returns the time.
fn talk(conn: &mut Conn, line: &str) -> Duration {
    let asked = Instant::now();
    conn.send(line);
    conn.expect(line);
    asked.elapsed()
}

/// Checks that a new client is served; returns the time.
fn serves(address: SocketAddr) -> Duration {
    let begun = Instant::now();
    let mut conn = Conn::connect(address);
    talk(&mut conn, "hello\n");
    conn.end_output();
    conn.expect_end();
    begun.elapsed()
}

#[test]
fn thousand_connections_of_a_program() {
    let _turn = take_turn();
    if !descriptors(4000) {
        return;
    }
    for (program, place) in Program::on_each_host("load_connects") {
        let all_are_there = Arc::new(Gate::new(THOUSAND));
        let peer = Peer::start(move |mut conn| {
            all_are_there.pass();
            let bytes = conn.read_to_end();
            conn.send(bytes);
        });
        let begun = Instant::now();
        let outcome = program.args([peer.port()]).run(place).assert_success();
        println!(
            "{}, {place:?}: {THOUSAND} connections opened, used and closed in {:?}",
            outcome.name,
            begun.elapsed()
        );
        peer.finish();
    }
}

#[test]
fn thousand_clients_of_a_server() {
    let _turn = take_turn();
    if !descriptors(4000) {
        return;
    }
    for place in In::each_host() {
        let (server, address) = start(place);
        let all_are_there = Gate::new(THOUSAND);
        let bytes = pattern(SIZE);
        let begun = Instant::now();
        Crowd::run(THOUSAND, |_| {
            let mut conn = Conn::connect(address);
            all_are_there.pass();
            conn.send(&bytes);
            conn.expect_pattern(SIZE);
            conn.end_output();
            conn.expect_end();
        });
        println!(
            "{place:?}: {THOUSAND} clients served in {:?}",
            begun.elapsed()
        );
        assert!(server.is_running());
        assert_eq!(server.stderr().text(), "");
    }
}

/// With the default of 100,000 handles. This process has both ends, so its descriptors allow fewer connections here.
#[test]
fn thousands_of_silent_clients() {
    let _turn = take_turn();
    if descriptors(11_000) {
        silent_clients(In::Concurrent, 5000);
    }
    if wasmtime().is_some() && descriptors(12_000) {
        silent_clients(In::Wasmtime, 10_000);
    }
}

fn silent_clients(place: In, silent: usize) {
    let (server, address) = start(place);
    let mut faithful = Conn::connect(address);
    let alone = talk(&mut faithful, "hello\n");
    let begun = Instant::now();
    let mut crowd = Crowd::silent(address, silent, || {
        serves(address);
    });
    println!(
        "{place:?}: {silent} silent clients came in {:?}",
        begun.elapsed()
    );
    // They do not disturb earlier or later clients.
    let beside = talk(&mut faithful, "still here\n");
    let next = serves(address);
    println!(
        "an answer took {alone:?} without them and {beside:?} beside them; a new client was served in {next:?}"
    );
    if let Some(process) = server.process_id() {
        println!(
            "{} bytes of memory for each",
            peak_memory(process) / silent as u64
        );
    }

    // Some clients send after a long wait.
    for mut conn in crowd.take(20) {
        talk(&mut conn, "hello at last\n");
        conn.end_output();
        conn.expect_end();
    }
    // All of them send at once: more than can be served at a time, and others still continue.
    crowd.say(b'x');
    talk(&mut faithful, "still here\n");
    // Clients that leave make room for those that wait.
    drop(crowd);
    talk(&mut faithful, "still here\n");
    serves(address);
    assert!(server.is_running());
    // They were reset; nothing else may be logged.
    for line in server.stderr().text().lines() {
        assert!(line.ends_with("connection reset by peer"), "{line}");
    }
}

/// More silent clients than the lobby holds: those that have waited longest are dropped, and each one that sends is
/// served, however many do.
#[test]
fn more_silent_clients_than_can_wait() {
    const SILENT: usize = 12_000;
    /// More than there is room for beside a full lobby.
    const SPEAKING: usize = 500;
    let _turn = take_turn();
    if wasmtime().is_none() || !descriptors(15_000) {
        return;
    }
    let program = Program::handler("serve_echo").args(["127.0.0.1:0"]);
    let mut server = program
        .deadline(Duration::from_secs(180))
        .start(In::Wasmtime);
    let address = server.listens();
    let mut faithful = Conn::connect(address);
    talk(&mut faithful, "hello\n");
    let begun = Instant::now();
    let mut crowd = Crowd::silent(address, SILENT, || {
        serves(address);
    });
    println!("{SILENT} silent clients came in {:?}", begun.elapsed());
    let mut speaking: Vec<_> = (0..SPEAKING).map(|_| Conn::connect(address)).collect();
    for conn in &mut speaking {
        talk(conn, "hello\n");
    }
    talk(&mut faithful, "still here\n");
    let next = serves(address);
    println!("beside {SPEAKING} clients that speak the next one was served in {next:?}");
    for conn in &mut speaking {
        talk(conn, "still here\n");
    }

    // Of the waiting clients the first ones are gone, and no others.
    let gone: Vec<bool> = crowd.gone().collect();
    let first = gone.iter().position(|gone| *gone).expect("one that left");
    let last = gone.iter().rposition(|gone| *gone).expect("one that left");
    println!("the silent clients {first} to {last} were dropped");
    assert!((2000..4000).contains(&first), "{first}");
    assert!(gone[first..=last].iter().all(|gone| *gone));
    assert!(last - first > SILENT - 11_000 + SPEAKING * 2, "{last}");
    assert!(last < SILENT - 1000, "{last}");
    for mut conn in crowd.take(20) {
        talk(&mut conn, "hello at last\n");
    }
    assert!(server.is_running());
}

/// The idle timeout ends silent clients: those that were accepted by the program, and those in the lobby.
#[test]
fn silent_clients_of_a_server_with_an_idle_timeout() {
    const SILENT: usize = 3500;
    let _turn = take_turn();
    if !descriptors(8000) {
        return;
    }
    for place in In::each_host() {
        let arguments = ["--idle-timeout", "10", "127.0.0.1:0"];
        let mut server = Program::handler("serve_echo").args(arguments).start(place);
        let address = server.listens();
        let mut faithful = Conn::connect(address);
        let crowd = Crowd::silent(address, SILENT, || {
            talk(&mut faithful, "hello\n");
            serves(address);
        });
        let begun = Instant::now();
        let mut left = 0;
        while left < SILENT {
            assert!(begun.elapsed() < PATIENCE, "{left} have left");
            left = crowd.gone().filter(|gone| *gone).count();
            talk(&mut faithful, "still here\n");
            // Slowly: frequent requests would keep the server busy.
            thread::sleep(Duration::from_millis(100));
        }
        serves(address);
        assert!(server.is_running());
    }
}

/// As many clients whose input a handler has given away as other clients, and the store has handles for them.
#[test]
fn clients_whose_input_was_given_away() {
    const SILENT: usize = 4500;
    let _turn = take_turn();
    if !descriptors(10_000) {
        return;
    }
    for place in In::each_host() {
        let program = Program::handler("serve_given").args(["127.0.0.1:0"]);
        let mut server = program.start(place);
        let address = server.listens();
        let crowd = Crowd::silent(address, SILENT, || {
            let mut conn = Conn::connect(address);
            conn.send("x");
            conn.expect("welcome\n");
            conn.expect_end();
        });
        let welcomed = crowd.answered().filter(|answered| *answered).count();
        println!("{place:?}: {welcomed} of {SILENT} silent clients were given out");
        assert!((2000..3000).contains(&welcomed), "{welcomed}");
        assert!(server.is_running());
    }
}

/// Very many clients, more than can be accepted at once: the latest ones wait in the lobby, and are accepted when
/// they send or end. Those that have ended make room for as many again.
#[test]
fn clients_that_end_while_they_wait() {
    const SILENT: usize = 9000;
    const LEAVING: usize = 5000;
    let _turn = take_turn();
    if wasmtime().is_none() || !descriptors(12_000) {
        return;
    }
    let (server, address) = start(In::Wasmtime);
    let mut crowd = Crowd::silent(address, SILENT, || {
        serves(address);
    });
    let mut leaving = crowd.take(LEAVING);
    leaving.iter().for_each(Conn::end_output);
    leaving.iter_mut().for_each(Conn::expect_end);
    crowd.grow(address, LEAVING, || {
        serves(address);
    });
    crowd.take(LEAVING).into_iter().for_each(Conn::reset);
    crowd.grow(address, LEAVING, || {
        serves(address);
    });
    for mut conn in crowd.take(LEAVING) {
        talk(&mut conn, "hello at last\n");
        conn.end_output();
        conn.expect_end();
    }
    assert!(server.is_running());
    for line in server.stderr().text().lines() {
        assert!(line.ends_with("connection reset by peer"), "{line}");
    }
}

/// The end of a server with very many clients: those in the lobby are dropped, the others get the grace.
#[test]
fn end_of_a_server_with_very_many_clients() {
    const SILENT: usize = 4000;
    let _turn = take_turn();
    if wasmtime().is_none() || !descriptors(6000) {
        return;
    }
    let arguments = ["--until-stdin-closes", "--grace", "0.5", "127.0.0.1:0"];
    let program = Program::handler("serve_echo").args(arguments).stdin();
    let mut server = program.start(In::Wasmtime);
    let address = server.listens();
    let mut crowd = Crowd::silent(address, SILENT, || {
        serves(address);
    });
    server.close_stdin();
    for mut conn in crowd.take(SILENT) {
        conn.ending();
        conn.reset();
    }
    let outcome = server.wait().assert_failure();
    let aborted = outcome.stderr.strip_prefix("serve: aborted ");
    let aborted = aborted.and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    let aborted = aborted.unwrap_or_else(|| panic!("{outcome}"));
    println!(
        "of {SILENT} silent clients, {aborted} were aborted at the end, the others had not been given out"
    );
    assert!((1000..SILENT).contains(&aborted), "{outcome}");
}

/// More clients at once than by default, in a store with enough handles.
#[test]
fn more_clients_than_by_default() {
    const CLIENTS: usize = 6000;
    let _turn = take_turn();
    if wasmtime().is_none() || !descriptors(8000) {
        return;
    }
    let program = Program::handler("serve_echo").max_handles(200_000);
    let arguments = ["--max-connections", "6001", "127.0.0.1:0"];
    let mut server = program.args(arguments).start(In::Wasmtime);
    let address = server.listens();
    let mut crowd = Crowd::silent(address, CLIENTS, || {
        serves(address);
    });
    crowd.say(b'x');
    let mut clients = crowd.take(CLIENTS);
    for conn in &mut clients {
        conn.expect("x");
    }
    serves(address);
    clients.into_iter().for_each(Conn::reset);
    assert!(server.is_running());
}

/// As many connections as the component lets a program open, under the default limit of handles.
#[test]
fn a_program_opens_as_many_connections_as_allowed() {
    let _turn = take_turn();
    if wasmtime().is_none() || !descriptors(8000) {
        return;
    }
    let peer = Peer::silent();
    for program in [
        Program::new("load_own_bound"),
        Program::linked("load_own_bound"),
    ] {
        let program = program.args([peer.port()]);
        let outcome = program.run(In::Wasmtime).assert_success();
        println!("{} connections could be opened", outcome.stdout.trim());
    }
    peer.finish();
}

/// Peers that each send as much as one connection may hold, and together more than the bound.
#[test]
fn endless_senders_together() {
    const SENDERS: usize = 24;
    let _turn = take_turn();
    if wasmtime().is_none() {
        return;
    }
    let program = Program::handler("serve_orders").args(["127.0.0.1:0"]);
    let mut server = program.start(In::Wasmtime);
    let address = server.listens();
    let mut faithful = Conn::connect(address);
    faithful.send("echo\n");
    Crowd::run(SENDERS, |_| {
        let mut conn = Conn::connect(address);
        conn.send("stay\n");
        // The handler fails meanwhile, and the rest is discarded.
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..70 {
            conn.send(&piece);
        }
        conn.reset();
    });
    talk(&mut faithful, "still here\n");
    let process = server.process_id().expect("a process");
    println!(
        "{SENDERS} endless senders: {} MiB of memory at most",
        peak_memory(process) >> 20
    );
    assert!(server.is_running());
}

/// Clients that send one byte each second, beside fast clients.
#[test]
fn slow_crowd_beside_fast_clients() {
    const SLOW: usize = 1000;
    const FAST: usize = 4;
    let _turn = take_turn();
    if !descriptors(4000) {
        return;
    }
    let place = if wasmtime().is_some() {
        In::Wasmtime
    } else {
        In::Concurrent
    };
    let (server, address) = start(place);
    let alone = hurry(address, FAST);

    let mut crowd = Crowd::silent(address, SLOW, || {
        serves(address);
    });
    let over = AtomicBool::new(false);
    let (beside, rounds) = thread::scope(|scope| {
        let drip = scope.spawn(|| {
            let mut rounds = 0;
            while !over.load(Ordering::SeqCst) {
                crowd.drip(b'x', Duration::from_secs(1));
                rounds += 1;
            }
            rounds
        });
        let beside = hurry(address, FAST);
        over.store(true, Ordering::SeqCst);
        (beside, drip.join().expect("the crowd"))
    });
    println!("an answer to a fast client took, alone: {alone}");
    println!("beside {SLOW} slow clients: {beside}");
    // No byte of the slow clients was lost.
    for mut conn in crowd.take(SLOW) {
        conn.end_output();
        assert_eq!(conn.read_to_end(), vec![b'x'; rounds]);
    }
    assert!(server.is_running());
    assert!(
        beside.slowest < Duration::from_secs(5),
        "an answer took {:?}",
        beside.slowest
    );
}

/// The times of answers: the median, the 99th percentile, and the slowest.
struct Times {
    median: Duration,
    most: Duration,
    slowest: Duration,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            median,
            most,
            slowest,
        } = self;
        write!(
            f,
            "{median:?} (median), {most:?} (99 %), {slowest:?} (slowest)"
        )
    }
}

/// Fast clients, each with many questions.
fn hurry(address: SocketAddr, clients: usize) -> Times {
    let bytes = pattern(SIZE);
    let times = Crowd::run(clients, |_| {
        let mut conn = Conn::connect(address);
        let ask = || {
            let asked = Instant::now();
            conn.send(&bytes);
            conn.expect(&bytes);
            asked.elapsed()
        };
        std::iter::repeat_with(ask)
            .take(5 * THOUSAND)
            .collect::<Vec<_>>()
    });
    let mut times = times.concat();
    times.sort();
    let last = times.len() - 1;
    Times {
        median: times[last / 2],
        most: times[last * 99 / 100],
        slowest: times[last],
    }
}
