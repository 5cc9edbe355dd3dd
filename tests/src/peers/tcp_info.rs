//! Linux' information about a TCP connection (`TCP_INFO`, tcp(7)).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;

/// The connection's figures.
///
/// # Panics
/// When the kernel returns fewer fields than needed: it is older than 4.6.
pub(super) fn of(socket: &impl AsRawFd) -> libc::tcp_info {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).expect("a size");
    // SAFETY: the kernel writes at most `length` bytes, which is the size of the pointer's target.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    assert_eq!(result, 0, "TCP_INFO: {}", io::Error::last_os_error());
    let needed = std::mem::offset_of!(libc::tcp_info, tcpi_data_segs_out);
    assert!(length as usize >= needed, "the kernel tells {length} bytes");
    // SAFETY: every field is a number, and all were zero before the kernel wrote some.
    unsafe { info.assume_init() }
}
