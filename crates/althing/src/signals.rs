//! What the operating system tells the program.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that end the program.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes them from now on.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns at the next signal to stop.
    pub(crate) async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The signal with which tests ask a media unit to fail. Release builds do not know it.
#[cfg(debug_assertions)]
pub(crate) fn fail() -> io::Result<Signal> {
    signal(SignalKind::user_defined1())
}

/// The signal that asks for files to be read again.
pub(crate) fn reload() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}
