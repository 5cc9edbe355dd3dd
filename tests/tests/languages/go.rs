//! The module for Go, and stock net/http over it.

use asyncio_streams_tests::certificates::Authority;
#[cfg(target_os = "linux")]
use asyncio_streams_tests::peers::Peer;
use asyncio_streams_tests::{In, Program, tls};

use crate::{Client, DEADLINE, serve};

#[test]
fn deadlines_closing_timers_memory_and_mistakes() {
    let Some(program) = Program::foreign("go/behaviour") else {
        return;
    };
    let outcome = program.deadline(DEADLINE).run(In::CallAsync);
    assert_eq!(outcome.assert_success().stdout, "all well\n");
}

/// WASI has no `TCP_NODELAY`: a second small segment would wait for the peer's delayed acknowledgement.
#[test]
#[cfg(target_os = "linux")]
fn writes_of_one_turn_leave_as_one_segment() {
    for place in In::every_place() {
        let Some(program) = Program::foreign("go/behaviour") else {
            return;
        };
        let peer = Peer::start(|mut conn| {
            for number in 1..=10 {
                conn.expect("ask now\n");
                assert_eq!(conn.segments_in(), number);
                conn.send(".");
            }
            conn.expect_end();
        });
        let program = program
            .args([peer.address().to_string()])
            .deadline(DEADLINE);
        program.run(place).assert_success();
        peer.finish();
    }
}

/// Goroutines of one client are woken by those of another, and end there.
#[test]
fn clients_that_talk_to_each_other_through_channels() {
    let Some(handler) = Program::foreign_handler("go/gossip") else {
        return;
    };
    let (mut server, address) = serve(handler, In::Concurrent);
    let [mut ann, mut bob, mut eve] = [(); 3].map(|()| Client::connect(address));
    for round in 0..20 {
        bob.say("wait");
        assert_eq!(bob.hear(), "waiting");
        ann.say(&format!("tell round {round}"));
        assert_eq!(ann.hear(), "told");
        assert_eq!(bob.hear(), format!("heard round {round}"));
    }
    // Timers and locks that clients share.
    ann.say("nap");
    bob.say("nap");
    assert_eq!([ann.hear(), bob.hear()], ["rested", "rested"]);
    // The last of bob's goroutines runs when ann's event wakes it; its result still goes to bob.
    bob.say("last");
    assert_eq!(bob.hear(), "waiting");
    ann.say("tell the end");
    assert_eq!([ann.hear(), bob.hear()], ["told", "last the end"]);
    assert_eq!(bob.hear(), "");
    assert!(server.stderr_line().contains("it was the last"));
    // A client's panic or error is logged, and does not affect the others.
    eve.say("fail");
    assert_eq!(eve.hear(), "");
    let logged = server.stderr_line();
    assert!(logged.contains("a failure\\u{a}of two lines"), "{logged}");
    let mut dan = Client::connect(address);
    dan.say("panic");
    while !server.stderr_line().contains("panic: as the client wished") {}
    ann.say("nap");
    assert_eq!(ann.hear(), "rested");
    assert!(server.is_running());
}

/// A web server and a client of stock net/http, both in one component, over TLS.
#[test]
fn net_http_over_tls() {
    let Some(program) = Program::foreign("go/webserver") else {
        return;
    };
    if !tls() {
        return;
    }
    let authority = Authority::new();
    let identity = authority.server("127.0.0.1");
    let program = program
        .tls()
        .deadline(DEADLINE)
        .variable("CERT", &identity.chain)
        .variable("KEY", &identity.key)
        .variable("ROOTS", &authority.pem);
    let outcome = program.run(In::Concurrent).assert_success();
    assert_eq!(outcome.stdout, "all well\n");
}
