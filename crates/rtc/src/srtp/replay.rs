//! Which packets of one source were seen: the rollover counter (RFC 3711 §3.3.1) and the replay list (§3.3.2).

/// Bits in a word of the window.
const WORD_BITS: u64 = 64;
/// Words of the window, one of which is being filled while the others are complete (RFC 6479).
const WORDS: usize = 17;
/// How far behind the newest packet one may come and still be taken. A second of a large stream: retransmissions on
/// the stream's own SSRC come late.
pub const REPLAY_WINDOW_PACKETS: u64 = (WORDS as u64 - 1) * WORD_BITS;

/// A sliding window over packet indices. Judging is apart from marking, because a packet may be marked only after it
/// has proved authentic.
#[derive(Debug, Clone)]
pub(super) struct ReplayWindow {
    /// The highest index marked.
    highest: u64,
    /// A ring of bits by index. Words ahead of `highest` hold the past and are cleared when it reaches them.
    seen: [u64; WORDS],
}

impl ReplayWindow {
    /// A window that has seen `index` and nothing else.
    pub(super) fn starting_with(index: u64) -> Self {
        let mut window = Self { highest: index, seen: [0; WORDS] };
        window.mark(index);
        window
    }

    /// The highest index marked.
    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether a packet of this index may be taken.
    #[inline]
    pub(super) fn accepts(&self, index: u64) -> bool {
        if index > self.highest {
            return true;
        }
        self.highest - index < REPLAY_WINDOW_PACKETS && self.seen[word_of(index)] & bit_of(index) == 0
    }

    /// Notes a packet as seen. One that is older than the window changes nothing.
    #[inline]
    pub(super) fn mark(&mut self, index: u64) {
        if index > self.highest {
            let words = (index / WORD_BITS - self.highest / WORD_BITS).min(WORDS as u64);
            for word in 1..=words {
                let entered = self.highest / WORD_BITS + word;
                self.seen[(entered % WORDS as u64) as usize] = 0;
            }
            self.highest = index;
        } else if self.highest - index >= REPLAY_WINDOW_PACKETS {
            return;
        }
        self.seen[word_of(index)] |= bit_of(index);
    }
}

#[inline]
fn word_of(index: u64) -> usize {
    (index / WORD_BITS % WORDS as u64) as usize
}

#[inline]
fn bit_of(index: u64) -> u64 {
    1 << (index % WORD_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// What the window stands for, without its tricks.
    struct Model {
        highest: u64,
        seen: HashSet<u64>,
    }

    impl Model {
        fn accepts(&self, index: u64) -> bool {
            index > self.highest
                || self.highest - index < REPLAY_WINDOW_PACKETS && !self.seen.contains(&index)
        }

        fn mark(&mut self, index: u64) {
            self.highest = self.highest.max(index);
            self.seen.insert(index);
        }
    }

    proptest! {
        #[test]
        fn it_does_what_a_set_would_do(
            start in 0u64..5_000,
            steps in prop::collection::vec((-1_300i64..1_300, prop::bool::weighted(0.8)), 1..300),
        ) {
            let mut window = ReplayWindow::starting_with(start);
            let mut model = Model { highest: start, seen: HashSet::from([start]) };
            for (step, authentic) in steps {
                let index = model.highest.saturating_add_signed(step);
                prop_assert_eq!(window.accepts(index), model.accepts(index), "{}", index);
                if authentic && model.accepts(index) {
                    window.mark(index);
                    model.mark(index);
                }
                prop_assert_eq!(window.highest(), model.highest);
            }
        }
    }

    #[test]
    fn every_place_of_the_window_is_kept_apart() {
        let top = 10_000;
        for back in 0..REPLAY_WINDOW_PACKETS {
            let mut window = ReplayWindow::starting_with(top);
            window.mark(top - back);
            for other in 0..REPLAY_WINDOW_PACKETS {
                assert_eq!(window.accepts(top - other), other != back && other != 0, "{back} {other}");
            }
            assert!(!window.accepts(top - REPLAY_WINDOW_PACKETS));
        }
    }

    #[test]
    fn a_leap_forgets_everything_and_nothing_comes_back() {
        let mut window = ReplayWindow::starting_with(5);
        for leap in [64, 1_024, 1_087, 1_088, 1_089, 100_000, 1 << 40] {
            let before = window.highest();
            window.mark(before + leap);
            assert!(!window.accepts(before + leap));
            assert!(!window.accepts(before), "seen, or too old");
            assert!(window.accepts(before + leap - 1));
        }
    }
}
