//! The date from the host, with the part of web-time's interface that rustls-pki-types uses.

use std::time::Duration;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
mod bindings {
    #[cfg(not(feature = "wasi02"))]
    wit_bindgen::generate!({
        path: "../../../wit/deps/clocks.wit",
        inline: "
            package asyncio:web-time;
            world date { import wasi:clocks/system-clock@0.3.0; }
        ",
        generate_all,
    });
    #[cfg(feature = "wasi02")]
    wit_bindgen::generate!({
        path: ["../../../wit/wasi-0.2/deps/io.wit", "../../../wit/wasi-0.2/deps/clocks.wit"],
        inline: "
            package asyncio:web-time;
            world date { import wasi:clocks/wall-clock@0.2.0; }
        ",
        generate_all,
    });
}

/// A time, counted from the beginning of 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SystemTime(Duration);

impl SystemTime {
    /// The beginning of 1970.
    pub const UNIX_EPOCH: Self = Self(Duration::ZERO);

    /// Returns the current time of the host's clock; a time before 1970 counts as 1970.
    pub fn now() -> Self {
        let (seconds, nanoseconds) = date();
        Self(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds.into())))
    }

    /// Returns the time since `earlier`.
    ///
    /// # Errors
    /// If `earlier` is later than this time.
    pub fn duration_since(&self, earlier: Self) -> Result<Duration, SystemTimeError> {
        self.0.checked_sub(earlier.0).ok_or(SystemTimeError(()))
    }
}

/// Returns the host's date in seconds and nanoseconds since the beginning of 1970.
#[cfg(not(feature = "wasi02"))]
fn date() -> (u64, u32) {
    let now = bindings::wasi::clocks::system_clock::now();
    (u64::try_from(now.seconds).unwrap_or(0), now.nanoseconds)
}

/// Returns the host's date in seconds and nanoseconds since the beginning of 1970.
#[cfg(feature = "wasi02")]
fn date() -> (u64, u32) {
    let now = bindings::wasi::clocks::wall_clock::now();
    (now.seconds, now.nanoseconds)
}

/// The other time is later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemTimeError(());

impl std::fmt::Display for SystemTimeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the other moment is later")
    }
}

impl std::error::Error for SystemTimeError {}
