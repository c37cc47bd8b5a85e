//! A thread on which nothing is left to chance, so that a seed replays exactly, in every process.
//!
//! Engines are handed time and randomness. The simulated clients (`str0m`) are not, in three places: they draw SSRCs and
//! ICE names from `fastrand`, which can be seeded; their streams lie in `HashMap`s, whose order comes from the system's
//! `getrandom`; and their sender reports begin at the system's clock. The standard library calls both functions by name,
//! and a program's own definitions come before those of the C library. Those here answer as the seed says on a thread of
//! a world, and as the system does on every other thread.
//!
//! Only Linux's standard library is known to call these. Elsewhere a world still runs, and replays up to the order of
//! what a client does at one instant.

use std::cell::Cell;
use std::time::Instant;

thread_local! {
    /// The state that random bytes come from, on a thread of a world.
    static SEED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Runs on a thread of its own where time stands still and all randomness comes from the seed.
///
/// # Panics
/// With what the closure panicked with.
pub fn on_fixed_thread<R: Send>(seed: u64, run: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            SEED.set(Some(seed));
            fastrand::seed(seed);
            run()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The instant at which every world begins.
#[expect(
    clippy::disallowed_methods,
    reason = "the one base instant; on a world's thread it is always the same"
)]
pub fn start() -> Instant {
    Instant::now()
}

#[cfg(target_os = "linux")]
mod system {
    #![expect(unsafe_code, reason = "two functions of the C library are given another body")]

    use std::ffi::{c_int, c_uint, c_void};

    use super::SEED;
    use crate::random::Random;

    /// Seconds that every clock shows on a thread of a world: in the year 2027, and far from the beginning of time.
    const FIXED_CLOCK_SECONDS: libc::time_t = 1_800_000_000;

    /// `getrandom(2)`.
    #[unsafe(no_mangle)]
    extern "C" fn getrandom(buffer: *mut c_void, length: usize, flags: c_uint) -> isize {
        let Ok(Some(seed)) = SEED.try_with(Cell::get) else {
            // SAFETY: the arguments are passed on as they came.
            return unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) as isize };
        };
        let mut random = Random::new(seed);
        // SAFETY: the caller owns `length` bytes from `buffer` on, as the system call demands.
        let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
        bytes.fill_with(|| random.draw() as u8);
        SEED.set(Some(random.draw()));
        length as isize
    }

    /// `clock_gettime(2)`.
    #[unsafe(no_mangle)]
    extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
        if let Ok(Some(_)) = SEED.try_with(Cell::get) {
            // SAFETY: the caller hands over a place for a time, as the system call demands.
            unsafe { time.write(libc::timespec { tv_sec: FIXED_CLOCK_SECONDS, tv_nsec: 0 }) };
            return 0;
        }
        // SAFETY: the arguments are passed on as they came.
        unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) as c_int }
    }

    use std::cell::Cell;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn observe(seed: u64) -> (Vec<u32>, u64, Instant) {
        on_fixed_thread(seed, || {
            let set: HashSet<u32> = (0..100).collect();
            (set.into_iter().collect(), fastrand::u64(..), start())
        })
    }

    #[test]
    fn a_seed_fixes_the_order_of_maps_the_numbers_drawn_and_the_clock() {
        assert_eq!(observe(1), observe(1));
        assert_ne!(observe(1).0, observe(2).0, "another seed, another order");
        assert_ne!(observe(1).1, observe(2).1);
    }

    #[test]
    fn other_threads_have_time_and_chance() {
        let order = || {
            std::thread::spawn(|| (0..100).collect::<HashSet<u32>>().into_iter().collect::<Vec<_>>()).join()
        };
        assert_ne!(order().unwrap(), order().unwrap());
        let before = start();
        while start() == before {}
    }
}
