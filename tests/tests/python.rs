//! Programs in Python: their output as components equals that with asyncio's own streams, on the machine's CPython.
//!
//! Faults that packages of Python's index once met, and the tests that keep them away. The programs are in `tests/python/programs`, and
//! `installed` is `tests/python/installed/test_installed.py`.
//!
//! | a package | test |
//! |---|---|
//! | imports a module inside a function, by a plain statement | `modules.rs`, `modules_are_imported_when_the_program_runs` |
//! | imports by a name made at run time, and silently does something else if that fails | the same: `library/lazy.py` |
//! | imports names of `ssl` that were missing | `tls.rs`, with `tls_names.py` |
//! | imports `ssl` in a component without TLS | `mistakes.rs`, `tls_in_a_module_of_a_program_built_without_it_names_the_remedy` |
//! | fails in an import that is not at the top of the program | `installed`, `test_failures_look_and_end_as_in_python`, `broken.py` |
//! | calls `to_thread` or `run_in_executor` | `loop_methods.rs`, `functions_for_threads_run_at_once` |
//! | connects by `sock_connect` | the same file, `sockets_of_pythons_own_are_waited_for` |
//! | passes a socket to `connect_accepted_socket` | the same file, `connections_over_accepted_sockets` |
//! | makes a datagram endpoint | the same file, `datagrams_are_exchanged` |
//! | runs a loop inside a plain function | the same file, `entry_points_of_libraries_run_a_loop_inside` |
//! | asks for a running loop at the top level | the same file, `no_loop_runs_at_the_top_level` |
//! | makes an `SSLContext` while it is imported | `tls.rs`, with `tls_names.py` and `library/contexts.py` |
//! | reads its data or its metadata | `modules.rs`, `data_and_metadata_of_packages_are_read` |
//! | raises while it is imported | `mistakes.rs`, `a_module_that_raises_during_the_build_is_imported_at_run_time` |
//! | calls `open_unix_connection` | `loop_methods.rs`, `functions_for_unix_sockets_exist` |

#[path = "python/behaviour.rs"]
mod behaviour;
#[path = "python/examples.rs"]
mod examples;
#[path = "python/loop_methods.rs"]
mod loop_methods;
#[path = "python/mistakes.rs"]
mod mistakes;
#[path = "python/modules.rs"]
mod modules;
#[path = "python/real.rs"]
mod real;
#[path = "python/tls.rs"]
mod tls;

use std::time::Duration;

/// Far more than any program takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(90);

/// Checks that both sides printed the same, asyncio's own first.
fn assert_same(name: &str, given: [String; 2]) {
    let [stock, component] = given;
    assert!(!stock.is_empty(), "{name} printed nothing");
    assert_eq!(
        component, stock,
        "{name}: the component's output, and that of asyncio's own streams"
    );
}

/// Replaces the numbers of ports that the system chose.
fn without_ports(text: &str, ports: &[u16]) -> String {
    ports.iter().fold(text.to_owned(), |text, port| {
        text.replace(&port.to_string(), "PORT")
    })
}
