//! The protocol of systemd: passed sockets, notifications and the watchdog.

use std::os::fd::{FromRawFd as _, OwnedFd};
use std::time::Duration;

use anyhow::{Context as _, bail};
use asyncio_streams_host::serve::Listener;
use sd_notify::NotifyState;

/// The sockets of a socket unit, all or those of one name.
pub(crate) fn listeners(name: Option<&str>) -> anyhow::Result<Vec<Listener>> {
    let passed = sd_notify::listen_fds_with_names()
        .context("the sockets in LISTEN_FDS cannot be read")?
        .filter(|(_, found)| name.is_none_or(|name| name == found));
    let listeners: Vec<Listener> = passed
        .map(|(descriptor, _)| {
            // SAFETY: the service manager passed the descriptor to this process, and it is taken once: a name is
            // listed once on the command line.
            let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
            Listener::try_from(descriptor)
        })
        .collect::<Result<_, _>>()
        .context("a socket in LISTEN_FDS cannot be used")?;
    if listeners.is_empty() {
        match name {
            Some(name) => bail!(
                "systemd passed no socket of the name {}: see FileDescriptorName= of the socket unit",
                asyncio_streams_host::Escaped(name)
            ),
            None => bail!("systemd passed no socket: LISTEN_FDS is not set for this process"),
        }
    }
    Ok(listeners)
}

/// Sends `states` to systemd, if it runs this process and asked for notifications.
pub(crate) fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("systemd cannot be notified: {error}");
    }
}

pub(crate) fn ready() {
    notify(&[NotifyState::Ready]);
}

pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

pub(crate) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

pub(crate) fn alive() {
    notify(&[NotifyState::Watchdog]);
}

/// How often systemd expects a sign of life: half of its limit.
pub(crate) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| (limit / 2).max(Duration::from_millis(1)))
}
