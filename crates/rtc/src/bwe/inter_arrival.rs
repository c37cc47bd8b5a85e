//! Groups packets that were sent together, and says how much later than its predecessor each group was sent, and how
//! much later it arrived (draft-ietf-rmcat-gcc-02 §5.2, as libwebrtc's `InterArrivalDelta` does it).

/// Packets sent within so long are a group.
const GROUP_US: i64 = 5_000;
/// Packets that arrive within so long of each other, and faster than they were sent, were held back by something and
/// let go at once: they are a group too.
const BURST_GAP_US: i64 = 5_000;
/// Such a burst lasts at most this long.
const BURST_MAX_US: i64 = 100_000;
/// Arrivals that run so far ahead of our own clock mean that the receiver's clock has jumped.
const CLOCK_JUMP_US: i64 = 3_000_000;
/// So many groups in a row that arrive before their predecessor mean the same.
const REORDERED_MAX: u8 = 3;

#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent_us: i64,
    last_sent_us: i64,
    first_arrival_us: i64,
    last_arrival_us: i64,
    /// When feedback told of its last packet.
    told_us: i64,
}

/// The distance of two groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deltas {
    pub(super) send_us: i64,
    pub(super) arrival_us: i64,
}

/// Groups packets.
#[derive(Debug, Default)]
pub(super) struct InterArrival {
    current: Option<Group>,
    previous: Option<Group>,
    reordered: u8,
}

impl InterArrival {
    /// Takes a packet. `Some` when it begins a group and two groups are complete.
    #[inline]
    pub(super) fn update(&mut self, now_us: i64, sent_us: i64, arrival_us: i64) -> Option<Deltas> {
        let begin = Group {
            first_sent_us: sent_us,
            last_sent_us: sent_us,
            first_arrival_us: arrival_us,
            last_arrival_us: arrival_us,
            told_us: now_us,
        };
        let Some(current) = &mut self.current else {
            self.current = Some(begin);
            return None;
        };
        // Reordered on the way, from an earlier group.
        if sent_us < current.first_sent_us {
            return None;
        }
        if !current.is_over(sent_us, arrival_us) {
            current.last_sent_us = current.last_sent_us.max(sent_us);
            current.last_arrival_us = arrival_us;
            current.told_us = now_us;
            return None;
        }
        let complete = *current;
        let deltas = match self.previous {
            None => None,
            Some(previous) => match self.compare(&previous, &complete) {
                Compared::Deltas(deltas) => Some(deltas),
                Compared::Ignored => return None,
                Compared::ClockJumped => {
                    *self = Self { current: Some(begin), ..Self::default() };
                    return None;
                }
            },
        };
        self.previous = Some(complete);
        self.current = Some(begin);
        deltas
    }

    fn compare(&mut self, previous: &Group, complete: &Group) -> Compared {
        let arrival_us = complete.last_arrival_us - previous.last_arrival_us;
        if arrival_us - (complete.told_us - previous.told_us) >= CLOCK_JUMP_US {
            return Compared::ClockJumped;
        }
        if arrival_us < 0 {
            self.reordered += 1;
            return if self.reordered >= REORDERED_MAX { Compared::ClockJumped } else { Compared::Ignored };
        }
        self.reordered = 0;
        Compared::Deltas(Deltas { send_us: complete.last_sent_us - previous.last_sent_us, arrival_us })
    }
}

enum Compared {
    Deltas(Deltas),
    Ignored,
    ClockJumped,
}

impl Group {
    #[inline]
    fn is_over(&self, sent_us: i64, arrival_us: i64) -> bool {
        let gap_us = arrival_us - self.last_arrival_us;
        let held_back = sent_us == self.last_sent_us
            || gap_us < sent_us - self.last_sent_us
                && gap_us <= BURST_GAP_US
                && arrival_us - self.first_arrival_us < BURST_MAX_US;
        !held_back && sent_us - self.first_sent_us > GROUP_US
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_compared_by_their_last_packets() {
        let mut groups = InterArrival::default();
        let packets = [
            (0, 50_000, None),
            (4_000, 54_000, None),
            (20_000, 71_000, None),
            (20_000, 75_000, None),
            (40_000, 92_000, Some(Deltas { send_us: 16_000, arrival_us: 21_000 })),
            (60_000, 112_000, Some(Deltas { send_us: 20_000, arrival_us: 17_000 })),
        ];
        for (sent, arrival, expected) in packets {
            assert_eq!(groups.update(arrival, sent, arrival), expected, "sent at {sent}");
        }
    }

    #[test]
    fn what_was_held_back_and_let_go_is_one_group() {
        let mut groups = InterArrival::default();
        groups.update(0, 0, 10_000);
        for sent in [20_000, 40_000, 60_000] {
            assert_eq!(groups.update(0, sent, 70_000 + sent / 20_000), None);
        }
        let deltas = groups.update(0, 80_000, 100_000).unwrap();
        assert_eq!(deltas, Deltas { send_us: 60_000, arrival_us: 60_003 });
    }

    #[test]
    fn a_jump_of_the_receivers_clock_begins_anew() {
        for jump in [1i64 << 40, -(1 << 40)] {
            let mut groups = InterArrival::default();
            for n in 0..10 {
                groups.update(n * 20_000, n * 20_000, n * 20_000);
            }
            let after: Vec<_> =
                (10..30).filter_map(|n| groups.update(n * 20_000, n * 20_000, n * 20_000 + jump)).collect();
            assert!(after.len() > 10);
            assert!(after.iter().all(|d| d.arrival_us == 20_000), "{after:?}");
        }
    }
}
