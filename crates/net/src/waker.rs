//! Waking a thread that waits in a [`crate::Poller`].

use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(target_os = "linux")]
type Pipe = std::fs::File;
#[cfg(not(target_os = "linux"))]
type Pipe = std::os::unix::net::UnixStream;

struct Shared {
    /// A wake-up is on its way: another costs no system call.
    pending: AtomicBool,
    write: Pipe,
}

/// Ends the wait of a [`crate::Poller`], from any thread. Many wake-ups before the wait ends are one.
#[derive(Clone)]
pub struct Waker(Arc<Shared>);

impl Waker {
    /// Wakes. What was put into a channel before this call is seen by the thread after its wait returns `woken`.
    pub fn wake(&self) {
        if !self.0.pending.swap(true, Ordering::AcqRel) {
            // Cannot be full: one write per reading. Nobody listens any more when the poller is gone; that is fine.
            let _ = (&self.0.write).write(&1u64.to_ne_bytes());
        }
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waker")
    }
}

/// The poller's end of its waker.
pub(crate) struct Wakeable {
    shared: Arc<Shared>,
    read: Pipe,
}

impl Wakeable {
    #[cfg(target_os = "linux")]
    pub(crate) fn new() -> io::Result<Self> {
        let write = Pipe::from(crate::sys::event_fd()?);
        let read = write.try_clone()?;
        Ok(Self { shared: Arc::new(Shared { pending: AtomicBool::new(false), write }), read })
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new() -> io::Result<Self> {
        let (write, read) = Pipe::pair()?;
        write.set_nonblocking(true)?;
        read.set_nonblocking(true)?;
        Ok(Self { shared: Arc::new(Shared { pending: AtomicBool::new(false), write }), read })
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker(self.shared.clone())
    }

    pub(crate) fn as_raw_fd(&self) -> RawFd {
        self.read.as_raw_fd()
    }

    /// Makes the next wake-up cost a system call again. The pipe is emptied before the mark is taken back: a wake-up
    /// in between is part of this one, and its channel is read after this.
    pub(crate) fn acknowledge(&mut self) {
        let _ = self.read.read(&mut [0; 8]);
        self.shared.pending.swap(false, Ordering::AcqRel);
    }
}
