#![expect(unsafe_code, reason = "system calls")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// A file descriptor for [`poll`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct PollEntry {
    pub(crate) fd: RawFd,
    pub(crate) readable: bool,
    /// The descriptor is closed: forget it.
    pub(crate) gone: bool,
}

/// Waits until one of the descriptors is readable, or the time is over. Sets `readable` and `gone`.
pub(crate) fn poll(entries: &mut [PollEntry], timeout: Option<Duration>) -> io::Result<()> {
    let mut raw: Vec<libc::pollfd> =
        entries.iter().map(|e| libc::pollfd { fd: e.fd, events: libc::POLLIN, revents: 0 }).collect();
    poll_raw(&mut raw, timeout)?;
    for (entry, raw) in entries.iter_mut().zip(&raw) {
        entry.gone = raw.revents & libc::POLLNVAL != 0;
        entry.readable = !entry.gone && raw.revents != 0;
    }
    Ok(())
}

/// Waits until a socket can be written, or the time is over. Returns whether it can.
pub(crate) fn wait_writable(fd: BorrowedFd<'_>, timeout: Duration) -> bool {
    let mut raw = [libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 }];
    poll_raw(&mut raw, Some(timeout)).is_ok() && raw[0].revents & libc::POLLOUT != 0
}

fn poll_raw(raw: &mut [libc::pollfd], timeout: Option<Duration>) -> io::Result<()> {
    // Rounded up: a wait that ends before the deadline would be repeated at once, again and again.
    let timeout_ms = match timeout {
        None => -1,
        Some(time) => i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX),
    };
    // SAFETY: pointer and length are those of a live, exclusively borrowed slice of `pollfd`.
    let result = unsafe { libc::poll(raw.as_mut_ptr(), raw.len() as libc::nfds_t, timeout_ms) };
    if result >= 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        error => Err(error),
    }
}
