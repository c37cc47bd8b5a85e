//! The system calls that neither the standard library nor `socket2` offers: all `unsafe` of this crate is below here.

#[cfg(target_os = "linux")]
mod linux;
mod unix;

#[cfg(target_os = "linux")]
pub(crate) use linux::{
    Epoll, RecvHeaders, SendHeaders, allowed_cores, enlarge_buffers, event_fd, has_gso, pin_this_thread,
    set_gro, set_packet_info, set_timestamps,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::*;
pub(crate) use unix::{PollEntry, poll, wait_writable};

/// What Linux has and others lack: said so, and the plain ways are taken.
#[cfg(not(target_os = "linux"))]
mod other {
    use std::io;

    pub(crate) fn pin_this_thread(_core: usize) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn allowed_cores() -> Vec<usize> {
        Vec::new()
    }

    pub(crate) fn enlarge_buffers(socket: &socket2::Socket, receive: usize, send: usize) {
        let _ = socket.set_recv_buffer_size(receive);
        let _ = socket.set_send_buffer_size(send);
    }
}
