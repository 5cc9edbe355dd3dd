//! Programs in Python: their output as components equals that with asyncio's own streams, on the machine's CPython.

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
