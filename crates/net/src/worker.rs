//! Threads for units: named, and each on a core of its own.

use std::io;
use std::thread::{self, JoinHandle};

use tracing::warn;

use crate::sys;

/// Runs `work` on a new thread, on that core if one is named. A core that cannot be had (a container with fewer, or not
/// Linux) is a warning and no more: the work runs wherever the scheduler puts it.
///
/// # Errors
/// The system has no thread left.
pub fn spawn_pinned<T, F>(name: &str, core: Option<usize>, work: F) -> io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let thread_name = name.to_owned();
    thread::Builder::new().name(thread_name.clone()).spawn(move || {
        if let Some(core) = core
            && let Err(error) = sys::pin_this_thread(core)
        {
            warn!(thread = thread_name, core, %error, "cannot pin a worker to its core");
        }
        work()
    })
}

/// The cores this process may run on, in ascending order; empty where the system does not say.
pub fn allowed_cores() -> Vec<usize> {
    sys::allowed_cores()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_worker_has_its_name_and_its_core_and_survives_a_core_that_is_not_there() {
        let core = *allowed_cores().last().unwrap();
        let name = || thread::current().name().map(str::to_owned);
        let worker = spawn_pinned("unit-0", Some(core), move || (name(), allowed_cores())).unwrap();
        assert_eq!(worker.join().unwrap(), (Some("unit-0".to_owned()), vec![core]));
        let all = allowed_cores();
        let worker = spawn_pinned("unit-1", Some(1_000_000), allowed_cores).unwrap();
        assert_eq!(worker.join().unwrap(), all);
    }
}
