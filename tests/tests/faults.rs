//! Peers that reset, stop, never read, or send garbage: the effect on a program that connects to them.

use std::io::{Read, Write};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use asyncio_streams_tests::peers::{Conn, End, Nobody, PATIENCE, Pattern, Peer, pattern};
use asyncio_streams_tests::{In, Program};

const MEGABYTE: usize = 1 << 20;

/// Runs a program in these places, each time against a separate peer; the program gets its port.
fn against(programs: Vec<(Program, In)>, peer: impl Fn() -> Peer) {
    for (program, place) in programs {
        run(program, place, peer());
    }
}

fn run(program: Program, place: In, peer: Peer) {
    program.args([peer.port()]).run(place).assert_success();
    peer.finish();
}

#[test]
fn reset_while_reading() {
    against(
        Program::everywhere("fault_reset_reading"),
        resets_when_asked,
    );
}

#[test]
fn reset_of_a_reader_that_was_given_away() {
    against(
        Program::composed_and_linked("fault_reset_given_away"),
        resets_when_asked,
    );
}

fn resets_when_asked() -> Peer {
    Peer::start(|mut conn| {
        conn.send("first\nkept");
        conn.expect("reset\n");
        conn.reset();
    })
}

#[test]
fn reset_behind_data_in_flight() {
    against(Program::everywhere("fault_reset_in_flight"), || {
        Peer::start(|mut conn| {
            conn.expect("go\n");
            // The reset overtakes bytes that have not arrived yet.
            conn.send(pattern(200_000));
            conn.reset();
        })
    });
}

#[test]
fn reset_while_writing() {
    against(Program::everywhere("fault_reset_writing"), || {
        let (stuck, unstick) = mpsc::channel();
        let unstick = Mutex::new(unstick);
        Peer::start_numbered(move |number, mut conn| match number {
            0 => {
                conn.expect("x");
                conn.reset();
            }
            1 => {
                conn.expect([b'x'; 100_000]);
                conn.reset();
            }
            2 => {
                let unstick = unstick.lock().unwrap_or_else(PoisonError::into_inner);
                unstick
                    .recv_timeout(PATIENCE)
                    .expect("a word from the other connection");
                conn.reset();
            }
            _ => {
                conn.expect("reset\n");
                stuck.send(()).expect("the script that waits");
                conn.ending();
            }
        })
    });
}

#[test]
fn reset_while_sending_a_stream() {
    against(
        Program::composed_and_linked("fault_reset_streaming"),
        || {
            Peer::start(|mut conn| {
                conn.expect([b'x'; 100_000]);
                conn.reset();
            })
        },
    );
}

#[test]
fn reset_after_the_end() {
    against(Program::everywhere("fault_reset_after_end"), || {
        Peer::start(|mut conn| {
            conn.send("all of it");
            conn.end_output();
            conn.expect("reset\n");
            conn.reset();
        })
    });
}

#[test]
fn reset_while_connecting() {
    for (program, place) in Program::everywhere("fault_reset_connecting") {
        let peer = Peer::start(Conn::reset);
        let nobody = Nobody::new();
        program
            .args([peer.port(), nobody.port()])
            .run(place)
            .assert_success();
        peer.finish();
    }
}

#[test]
fn half_close() {
    against(Program::everywhere("fault_half_close"), || {
        Peer::start_numbered(|number, mut conn| {
            if number == 0 {
                conn.send(pattern(MEGABYTE));
                conn.end_output();
                conn.expect_pattern(MEGABYTE);
                conn.expect_end();
            } else {
                conn.expect_pattern(MEGABYTE);
                conn.expect_end();
                conn.send(pattern(MEGABYTE));
            }
        })
    });
}

#[test]
fn peer_that_never_reads() {
    against(Program::everywhere("fault_never_reads"), || {
        Peer::start_numbered(|number, mut conn| {
            // The first and the fourth connection are not read; the others are echoed.
            if number == 0 || number == 3 {
                wait_for_loss(&conn);
            } else {
                echo(&mut conn);
            }
        })
    });
}

#[test]
fn peer_that_sends_byte_by_byte() {
    against(Program::everywhere("fault_byte_by_byte"), || {
        Peer::start(|mut conn| {
            conn.send_one_by_one(
                "one line\nten bytes.with \r and \n in it\r\na-b=c==a\nb\nc\nafterwaitthe end",
            );
            conn.end_output();
            assert_eq!(conn.ending(), End::Fin);
        })
    });
}

#[test]
fn peer_that_sends_without_end() {
    against(Program::everywhere("fault_endless"), || {
        let (sent, told) = mpsc::channel();
        let (sent, told) = (Mutex::new(sent), Mutex::new(told));
        Peer::start_numbered(move |number, mut conn| {
            if number == 0 {
                // The program does not read yet: only the systems' buffers accept bytes.
                let n = conn.send_until_stuck(Duration::from_millis(500));
                sent.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .send(n)
                    .expect("the other script");
                send_for_ever(conn, n);
            } else {
                let n = told
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .recv_timeout(PATIENCE);
                let n = n.expect("a word from the other script");
                assert!(n < 16 * MEGABYTE, "{n} bytes were taken without a reader");
                conn.send(format!("{n}\n"));
                conn.ending();
            }
        })
    });
}

#[test]
fn garbage() {
    against(Program::everywhere("fault_garbage"), || {
        Peer::start(|mut conn| {
            conn.send(pattern(MEGABYTE));
            conn.end_output();
            assert_eq!(conn.ending(), End::Fin);
        })
    });
}

/// Waits until the connection is gone, without reading from it: a send fails after the other side's reset.
fn wait_for_loss(conn: &Conn) {
    let give_up = std::time::Instant::now() + PATIENCE;
    loop {
        assert!(
            std::time::Instant::now() < give_up,
            "the connection was not given up"
        );
        std::thread::sleep(Duration::from_millis(10));
        if conn.stream().write(b"?").is_err() {
            return;
        }
    }
}

fn echo(conn: &mut Conn) {
    let mut stream = conn.stream();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => stream.write_all(&buffer[..n]).expect("the echo, taken"),
            Err(error) => panic!("{error}, instead of the end"),
        }
    }
}

/// Continues to send the pattern until the other side is gone.
fn send_for_ever(conn: Conn, sent: usize) {
    let mut pattern = Pattern::at(sent);
    while conn.stream().write_all(&pattern.next(MEGABYTE)).is_ok() {}
}
