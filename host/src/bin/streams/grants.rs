//! The options that grant a program its network, environment and folders.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

#[cfg(unix)]
use asyncio_streams_host::UnixPath;
use asyncio_streams_host::{Denied, Escaped, Network};

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
    match denied {
        Denied::UnixConnect(path) => {
            return format!("grant it with --allow-unix-connect {}", quoted(path));
        }
        Denied::UnixListen(path) => {
            return format!("grant it with --allow-unix-listen {}", quoted(path));
        }
        _ => {}
    }
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

/// A path, quoted for a shell where it has to be.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/@._-+,=".contains(c);
    let path = Escaped(path).to_string();
    match path.chars().all(plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// The options that grant Unix sockets.
#[derive(clap::Args)]
pub(crate) struct UnixGrants {
    /// Let the program connect to this Unix socket. A path that ends in `/` is every socket in that folder and below,
    /// `@NAME` is an abstract name. The program must be composed with streams-unix.wasm. May be repeated.
    #[cfg(unix)]
    #[arg(long, value_name = "PATH")]
    allow_unix_connect: Vec<UnixPath>,

    /// Let the program listen on this Unix socket, and replace what listens there. Paths as above. May be repeated.
    #[cfg(unix)]
    #[arg(long, value_name = "PATH")]
    allow_unix_listen: Vec<UnixPath>,
}

impl UnixGrants {
    /// Adds the grants to a network.
    #[cfg(not(unix))]
    pub(crate) fn apply(&self, network: Network) -> Network {
        network
    }

    /// Adds the grants to a network.
    #[cfg(unix)]
    pub(crate) fn apply(&self, mut network: Network) -> Network {
        for to in &self.allow_unix_connect {
            network = network.allow_unix_connect(to.clone());
        }
        for on in &self.allow_unix_listen {
            network = network.allow_unix_listen(on.clone());
        }
        network
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
