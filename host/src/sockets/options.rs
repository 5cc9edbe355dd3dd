//! Options of a `tcp-socket`, as WASI bounds them.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use wasmtime_wasi::p3::bindings::sockets::types::{ErrorCode, IpAddressFamily};

use super::tcp::Tcp;

type Result<T> = std::result::Result<T, ErrorCode>;

/// Systems count keep-alive times in seconds, Linux up to this many.
const MAX_KEEP_ALIVE: u64 = i16::MAX.unsigned_abs() as u64;
/// Linux's limit.
const MAX_KEEP_ALIVE_COUNT: u32 = i8::MAX.unsigned_abs() as u32;

const SECOND: u64 = 1_000_000_000;

impl Tcp {
    pub(super) fn keep_alive_enabled(&self) -> Result<bool> {
        self.get(|socket| socket.keepalive())
    }

    pub(super) fn set_keep_alive_enabled(&self, enabled: bool) -> Result<()> {
        self.set(|socket| socket.set_keepalive(enabled))
    }

    /// Nanoseconds.
    pub(super) fn keep_alive_idle_time(&self) -> Result<u64> {
        self.get(|socket| socket.tcp_keepalive_time())
            .map(nanoseconds)
    }

    pub(super) fn set_keep_alive_idle_time(&self, nanoseconds: u64) -> Result<()> {
        let time = keep_alive_time(nanoseconds)?;
        self.set_keep_alive(&TcpKeepalive::new().with_time(time))
    }

    /// Nanoseconds.
    pub(super) fn keep_alive_interval(&self) -> Result<u64> {
        self.get(|socket| socket.tcp_keepalive_interval())
            .map(nanoseconds)
    }

    pub(super) fn set_keep_alive_interval(&self, nanoseconds: u64) -> Result<()> {
        let time = keep_alive_time(nanoseconds)?;
        self.set_keep_alive(&TcpKeepalive::new().with_interval(time))
    }

    pub(super) fn keep_alive_count(&self) -> Result<u32> {
        self.get(|socket| socket.tcp_keepalive_retries())
    }

    pub(super) fn set_keep_alive_count(&self, count: u32) -> Result<()> {
        let count = not_zero(count)?.min(MAX_KEEP_ALIVE_COUNT);
        self.set_keep_alive(&TcpKeepalive::new().with_retries(count))
    }

    pub(super) fn hop_limit(&self) -> Result<u8> {
        let limit = match self.family() {
            IpAddressFamily::Ipv4 => self.get(|socket| socket.ttl_v4())?,
            IpAddressFamily::Ipv6 => self.get(|socket| socket.unicast_hops_v6())?,
        };
        u8::try_from(limit).map_err(|_| ErrorCode::NotSupported)
    }

    pub(super) fn set_hop_limit(&self, limit: u8) -> Result<()> {
        let limit = u32::from(not_zero(limit)?);
        match self.family() {
            IpAddressFamily::Ipv4 => self.set(|socket| socket.set_ttl_v4(limit)),
            IpAddressFamily::Ipv6 => self.set(|socket| socket.set_unicast_hops_v6(limit)),
        }
    }

    /// Bytes.
    pub(super) fn receive_buffer_size(&self) -> Result<u64> {
        self.get(|socket| socket.recv_buffer_size())
            .map(buffer_size)
    }

    pub(super) fn set_receive_buffer_size(&self, size: u64) -> Result<()> {
        let size = wanted_buffer_size(size)?;
        self.set(|socket| as_hint(socket.set_recv_buffer_size(size)))
    }

    /// Bytes.
    pub(super) fn send_buffer_size(&self) -> Result<u64> {
        self.get(|socket| socket.send_buffer_size())
            .map(buffer_size)
    }

    pub(super) fn set_send_buffer_size(&self, size: u64) -> Result<()> {
        let size = wanted_buffer_size(size)?;
        self.set(|socket| as_hint(socket.set_send_buffer_size(size)))
    }

    fn set_keep_alive(&self, to: &TcpKeepalive) -> Result<()> {
        // The library's call also turns keep-alive on; WASI has a separate option for that.
        let enabled = self.with_socket(|socket| socket.keepalive())?;
        self.set(|socket| socket.set_tcp_keepalive(to))?;
        match enabled {
            Some(enabled) => self.set_keep_alive_enabled(enabled),
            None => Ok(()),
        }
    }

    fn get<T>(&self, get: impl FnOnce(SockRef<'_>) -> io::Result<T>) -> Result<T> {
        self.with_socket(get)?.ok_or(ErrorCode::NotSupported)
    }

    /// Sets an option. It is a hint: without a TCP socket below it is ignored.
    fn set(&self, set: impl FnOnce(SockRef<'_>) -> io::Result<()>) -> Result<()> {
        self.with_socket(set).map(|_| ())
    }
}

fn not_zero<T: Default + PartialEq>(value: T) -> Result<T> {
    match value == T::default() {
        true => Err(ErrorCode::InvalidArgument),
        false => Ok(value),
    }
}

fn keep_alive_time(nanoseconds: u64) -> Result<Duration> {
    let seconds = not_zero(nanoseconds)? / SECOND;
    Ok(Duration::from_secs(seconds.clamp(1, MAX_KEEP_ALIVE)))
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn wanted_buffer_size(size: u64) -> Result<usize> {
    let max = i32::MAX.unsigned_abs() as usize;
    Ok(usize::try_from(not_zero(size)?).unwrap_or(max).min(max))
}

/// Converts the size that the system reports: Linux reports twice the requested size, for its own bookkeeping.
fn buffer_size(size: usize) -> u64 {
    let size = if cfg!(target_os = "linux") {
        size / 2
    } else {
        size
    };
    size as u64
}

/// Ignores a refused size: some systems clamp sizes that others refuse.
fn as_hint(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(error) if matches!(ErrorCode::from(&error), ErrorCode::OutOfMemory) => Ok(()),
        set => set,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> Tcp {
        Tcp::create(IpAddressFamily::Ipv4).expect("a socket")
    }

    #[tokio::test]
    async fn zero_is_no_value() {
        let socket = socket();
        for result in [
            socket.set_keep_alive_idle_time(0),
            socket.set_keep_alive_interval(0),
            socket.set_keep_alive_count(0),
            socket.set_hop_limit(0),
            socket.set_receive_buffer_size(0),
            socket.set_send_buffer_size(0),
        ] {
            assert!(matches!(result, Err(ErrorCode::InvalidArgument)));
        }
    }

    #[tokio::test]
    async fn options_are_read_as_they_were_set() -> Result<()> {
        let socket = socket();
        assert!(!socket.keep_alive_enabled()?);
        // Times are whole seconds, at least one, and setting one does not turn keep-alive on.
        socket.set_keep_alive_idle_time(1)?;
        assert_eq!(socket.keep_alive_idle_time()?, SECOND);
        socket.set_keep_alive_interval(u64::MAX)?;
        assert_eq!(socket.keep_alive_interval()?, MAX_KEEP_ALIVE * SECOND);
        socket.set_keep_alive_count(u32::MAX)?;
        assert_eq!(socket.keep_alive_count()?, MAX_KEEP_ALIVE_COUNT);
        assert!(!socket.keep_alive_enabled()?);
        socket.set_keep_alive_enabled(true)?;
        assert!(socket.keep_alive_enabled()?);
        socket.set_hop_limit(7)?;
        assert_eq!(socket.hop_limit()?, 7);
        socket.set_send_buffer_size(65_536)?;
        assert_eq!(socket.send_buffer_size()?, 65_536);
        socket.set_receive_buffer_size(u64::MAX)?;
        assert!(socket.receive_buffer_size()? > 65_536);
        Ok(())
    }
}
