//! The options that grant a program its network, environment and folders.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use asyncio_streams_host::{Denied, Network};

/// The largest number of different denials that are reported.
const DENIALS: usize = 100;

/// Reports each denied use once, with the option that grants it.
pub(crate) fn report_denied(
    network: Network,
    report: impl Fn(&str) + Send + Sync + 'static,
) -> Network {
    let told = Mutex::new(HashSet::new());
    network.on_denied(move |denied| {
        let line = format!("{denied} denied; {}", grant(denied));
        // A program may retry in a loop; one line is enough.
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < DENIALS && told.insert(line.clone()) {
            report(&line);
        }
    })
}

/// The option that would have granted it, quoted for a shell.
fn grant(denied: &Denied) -> String {
    let Some(endpoint) = denied.endpoint() else {
        return "grant it with --allow-network".to_owned();
    };
    let endpoint = endpoint.to_string();
    // Brackets and stars are patterns in a shell.
    let endpoint = match endpoint.contains(['*', '[']) {
        true => format!("'{endpoint}'"),
        false => endpoint,
    };
    match denied {
        Denied::Listen(_) => format!("grant it with --allow-listen {endpoint}"),
        Denied::Lookup(_) => {
            format!("grant it with --allow-connect {endpoint} or --allow-listen {endpoint}")
        }
        _ => format!("grant it with --allow-connect {endpoint}"),
    }
}

/// A variable of the environment.
pub(crate) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is not NAME=VALUE".to_owned()),
    }
}

/// A folder, as the host and as the program names it.
pub(crate) fn folder(text: &str) -> Result<(std::path::PathBuf, String), String> {
    match text.split_once("::") {
        Some((host, guest)) if !host.is_empty() && !guest.is_empty() => {
            Ok((host.into(), guest.to_owned()))
        }
        Some(_) => Err("it is not HOST::GUEST".to_owned()),
        None if text.is_empty() => Err("it is not HOST::GUEST".to_owned()),
        None => Ok((text.into(), text.to_owned())),
    }
}
