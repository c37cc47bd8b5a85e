//! CPU time and memory of a process, from `/proc`.

use std::io;
use std::ops::Sub;
use std::time::Duration;

/// What a process has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on a core, of all its threads that are still there; by the scheduler's clock, not by ticks.
    pub cpu: Duration,
    /// Resident memory.
    pub rss_kib: u64,
}

impl Sub for Usage {
    type Output = Duration;

    /// The CPU time between two readings.
    fn sub(self, earlier: Self) -> Duration {
        self.cpu.saturating_sub(earlier.cpu)
    }
}

/// Reads what a process has used so far.
///
/// # Errors
/// There is no such process, or no `/proc`.
pub fn usage(pid: u32) -> io::Result<Usage> {
    let mut cpu = Duration::ZERO;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread that ends while the list is read is left out.
        if let Ok(schedstat) = std::fs::read_to_string(task?.path().join("schedstat")) {
            cpu += on_cpu(&schedstat).unwrap_or_default();
        }
    }
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let rss_kib = rss_kib(&status).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Usage { cpu, rss_kib })
}

/// What the calling thread has used so far.
///
/// # Errors
/// There is no `/proc`.
pub fn own_thread_cpu() -> io::Result<Duration> {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    on_cpu(&schedstat).ok_or(io::ErrorKind::InvalidData.into())
}

/// The first number of `schedstat`: nanoseconds on a core.
fn on_cpu(schedstat: &str) -> Option<Duration> {
    Some(Duration::from_nanos(schedstat.split_whitespace().next()?.parse().ok()?))
}

fn rss_kib(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(on_cpu("1234567 89 10\n"), Some(Duration::from_nanos(1_234_567)));
        assert_eq!(on_cpu("\n"), None);
        assert_eq!(rss_kib("Name:\tx\nVmPeak:\t  9 kB\nVmRSS:\t  4242 kB\n"), Some(4242));
        assert_eq!(rss_kib("Name:\tx\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_used_something() {
        let used = usage(std::process::id()).unwrap();
        assert!(used.rss_kib > 100 && used.cpu > Duration::ZERO);
        assert!(usage(u32::MAX).is_err());
        assert!(own_thread_cpu().unwrap() <= usage(std::process::id()).unwrap().cpu);
    }
}
