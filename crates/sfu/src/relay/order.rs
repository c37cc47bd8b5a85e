//! The numbers of a relayed encoding: which packets follow those before, and which begin something new.
//!
//! A single packet whose number is far from the others is damaged more likely than right, so it is taken only when the
//! next one follows it (RFC 3550 appendix A.1). One damaged number then costs one packet, wherever it points, and a unit
//! that has been mistaken finds back by itself.

/// Numbers of packets that follow each other differ by no more: a few seconds of a large encoding (RFC 3550's
/// MAX_DROPOUT). In the other direction a packet that is sent again is as old as the history, which is shorter.
const JUMP_MAX: u64 = 3_000;

/// A packet confirms a jump if it comes so closely after the one that jumped: some may get lost on the way.
const CONFIRMS: u64 = 64;

const _: () = assert!(JUMP_MAX > crate::history::VIDEO_PACKETS as u64 && CONFIRMS < JUMP_MAX);

/// What came so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Order {
    newest: Option<u64>,
    /// It was not asked for in between, so the next packet may be of much later.
    paused: bool,
    /// The last packet that was refused.
    suspect: Option<u64>,
}

/// What a packet is to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Follows,
    /// Nothing of before is continued.
    Ahead,
    /// The same, and its numbers were there before: nothing that is kept under them is of this stream.
    Back,
    /// It is damaged, or the first of a jump.
    Refused,
}

impl Order {
    /// It is asked for (again).
    pub(crate) fn pause(&mut self) {
        self.paused = true;
    }

    /// Takes the next packet's number. `restarted`: its unit says that the source is another one.
    pub(crate) fn take(&mut self, sequence: u64, restarted: bool) -> Place {
        let paused = std::mem::take(&mut self.paused);
        let suspect = self.suspect.take();
        let Some(newest) = self.newest else {
            self.newest = Some(sequence);
            return Place::Follows;
        };
        if sequence.abs_diff(newest) <= JUMP_MAX {
            self.newest = Some(newest.max(sequence));
            return Place::Follows;
        }
        let ahead = sequence > newest;
        let follows = |suspect: u64| sequence > suspect && sequence - suspect <= CONFIRMS;
        if !(ahead && (paused || restarted) || suspect.is_some_and(follows)) {
            self.suspect = Some(sequence);
            return Place::Refused;
        }
        self.newest = Some(sequence);
        if ahead { Place::Ahead } else { Place::Back }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(numbers: impl IntoIterator<Item = u64>) -> Order {
        let mut order = Order::default();
        numbers.into_iter().for_each(|n| assert_ne!(order.take(n, false), Place::Refused));
        order
    }

    #[test]
    fn one_damaged_number_costs_one_packet() {
        for damaged in [1 << 54, 50_000, 0] {
            let mut order = after(10_000..10_010);
            assert_eq!(order.take(damaged, false), Place::Refused, "{damaged}");
            assert_eq!(order.take(10_010, false), Place::Follows, "{damaged}");
            assert_eq!(order.take(damaged + 1, false), Place::Refused, "it was forgotten");
        }
    }

    #[test]
    fn a_jump_is_believed_when_it_goes_on() {
        let mut order = after(10_000..10_010);
        let places = [90_000, 90_002, 90_001, 90_003].map(|n| order.take(n, false));
        assert_eq!(places, [Place::Refused, Place::Ahead, Place::Follows, Place::Follows]);
        let places = [500, 501, 502].map(|n| order.take(n, false));
        assert_eq!(places, [Place::Refused, Place::Back, Place::Follows]);
    }

    #[test]
    fn a_pause_of_ours_and_another_source_are_no_surprise() {
        let mut order = after(10_000..10_010);
        order.pause();
        assert_eq!(order.take(90_000, false), Place::Ahead);
        assert_eq!(order.take(1 << 33, true), Place::Ahead);
    }

    proptest! {
        #[test]
        fn whatever_came_before_two_packets_in_order_are_taken(
            before in prop::collection::vec((0u64..1 << 55, any::<bool>()), 0..20), number in 0u64..1 << 54
        ) {
            let mut order = Order::default();
            for (number, restarted) in before {
                order.take(number, restarted);
            }
            order.take(number, false);
            prop_assert_ne!(order.take(number + 1, false), Place::Refused);
            prop_assert_eq!(order.take(number + 2, false), Place::Follows);
        }
    }
}
