//! What a probe has shown (libwebrtc's `ProbeBitrateEstimator`): the rate at which its packets arrived, against the rate
//! at which they were sent.

use arrayvec::ArrayVec;

/// Probes whose packets are under way. A third one begins when the first has been waited for long enough.
const CLUSTERS_MAX: usize = 4;
/// Part of its packets and bytes that must have arrived. libwebrtc asks for four fifths, which a path that loses a fifth
/// by itself does not have.
const ARRIVED_MIN: f64 = 0.7;
/// Arriving so much faster than it was sent, a row was held back and let go: it shows nothing.
const RATIO_MAX: f64 = 2.0;
/// Arriving slower than this, the path was full.
const UNSATURATED_MIN: f64 = 0.9;
/// Of a full path, so much is used.
const FULL_PATH_SHARE: f64 = 0.95;
/// Longer than this, it is no row of packets.
const INTERVAL_US_MAX: i64 = 1_000_000;

#[derive(Debug, Clone, Copy)]
struct Cluster {
    id: u8,
    packets: u32,
    bytes: u64,
    reported: u32,
    first_sent_us: i64,
    last_sent_us: i64,
    /// Bytes of all packets sent at the last time: they were sent behind the interval.
    last_sent_bytes: u64,
    first_arrival_us: i64,
    last_arrival_us: i64,
    first_arrival_bytes: u64,
}

/// A probe that has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probed {
    pub(super) cluster: u8,
    pub(super) packets: u32,
    pub(super) bytes: u64,
}

/// What can be said of a probe by now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outcome {
    /// Not all of its packets have been reported.
    Waiting,
    /// The path carries this, in bit/s.
    Rate(f64),
    /// Nothing can be told of it.
    Nothing,
}

/// Gathers what arrived of probes.
#[derive(Debug, Default)]
pub(super) struct ProbeRate {
    clusters: ArrayVec<Cluster, CLUSTERS_MAX>,
}

impl ProbeRate {
    fn cluster(&mut self, id: u8) -> Option<&mut Cluster> {
        if !self.clusters.iter().any(|c| c.id == id) {
            if self.clusters.is_full() {
                self.clusters.remove(0);
            }
            self.clusters.push(Cluster {
                id,
                packets: 0,
                bytes: 0,
                reported: 0,
                first_sent_us: i64::MAX,
                last_sent_us: i64::MIN,
                last_sent_bytes: 0,
                first_arrival_us: i64::MAX,
                last_arrival_us: i64::MIN,
                first_arrival_bytes: 0,
            });
        }
        self.clusters.iter_mut().find(|c| c.id == id)
    }

    /// A packet of a probe arrived.
    pub(super) fn received(&mut self, id: u8, sent_us: i64, arrival_us: i64, bytes: u16) {
        let Some(cluster) = self.cluster(id) else { return };
        let bytes = u64::from(bytes);
        cluster.packets += 1;
        cluster.reported += 1;
        cluster.bytes += bytes;
        cluster.first_sent_us = cluster.first_sent_us.min(sent_us);
        if sent_us > cluster.last_sent_us {
            (cluster.last_sent_us, cluster.last_sent_bytes) = (sent_us, 0);
        }
        if sent_us == cluster.last_sent_us {
            cluster.last_sent_bytes += bytes;
        }
        if arrival_us < cluster.first_arrival_us {
            (cluster.first_arrival_us, cluster.first_arrival_bytes) = (arrival_us, bytes);
        }
        cluster.last_arrival_us = cluster.last_arrival_us.max(arrival_us);
    }

    /// A packet of a probe did not arrive.
    pub(super) fn lost(&mut self, id: u8) {
        if let Some(cluster) = self.cluster(id) {
            cluster.reported += 1;
        }
    }

    /// What can be said of a probe. `last_call`: nothing more will be reported.
    pub(super) fn outcome(&mut self, probed: Probed, last_call: bool) -> Outcome {
        let at = self.clusters.iter().position(|c| c.id == probed.cluster);
        let Some(cluster) = at.and_then(|at| self.clusters.get(at).copied()) else {
            return if last_call { Outcome::Nothing } else { Outcome::Waiting };
        };
        if cluster.reported < probed.packets && !last_call {
            return Outcome::Waiting;
        }
        if let Some(at) = at {
            self.clusters.remove(at);
        }
        cluster.rate(probed).map_or(Outcome::Nothing, Outcome::Rate)
    }
}

impl Cluster {
    fn rate(&self, probed: Probed) -> Option<f64> {
        let enough = f64::from(self.packets) >= ARRIVED_MIN * f64::from(probed.packets)
            && self.bytes as f64 >= ARRIVED_MIN * probed.bytes as f64;
        let sent_us = self.last_sent_us.checked_sub(self.first_sent_us)?;
        let arrived_us = self.last_arrival_us.checked_sub(self.first_arrival_us)?;
        let usable = |us: i64| us > 0 && us <= INTERVAL_US_MAX;
        if !enough || !usable(sent_us) || !usable(arrived_us) {
            return None;
        }
        let rate = |bytes: u64, us: i64| bytes as f64 * 8e6 / us as f64;
        let sent = rate(self.bytes.saturating_sub(self.last_sent_bytes), sent_us);
        let arrived = rate(self.bytes.saturating_sub(self.first_arrival_bytes), arrived_us);
        if arrived > RATIO_MAX * sent {
            return None;
        }
        Some(if arrived < UNSATURATED_MIN * sent { FULL_PATH_SHARE * arrived } else { sent.min(arrived) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five bursts of four packets of 1,000 bytes, 5 ms apart: 6.4 Mbit/s, over a path of a rate.
    fn probe(path_bps: i64, lose: usize) -> Outcome {
        let mut rate = ProbeRate::default();
        let mut free_us = 0;
        for n in 0..20i64 {
            let sent_us = n / 4 * 5_000;
            free_us = free_us.max(sent_us) + 8_000 * 1_000_000 / path_bps;
            if (n as usize) < lose {
                rate.lost(1);
            } else {
                rate.received(1, sent_us, 777_000 + free_us, 1_000);
            }
        }
        rate.outcome(Probed { cluster: 1, packets: 20, bytes: 20_000 }, false)
    }

    #[test]
    fn a_wide_path_shows_what_was_sent_and_a_narrow_one_what_it_carries() {
        let bps = |outcome| match outcome {
            Outcome::Rate(rate) => rate,
            other => panic!("{other:?}"),
        };
        assert!((6.3e6..6.5e6).contains(&bps(probe(1_000_000_000, 0))));
        assert!((6.3e6..6.5e6).contains(&bps(probe(8_000_000, 0))));
        let narrow = bps(probe(2_000_000, 0));
        assert!((1.8e6..2.0e6).contains(&narrow), "{narrow}");
        assert!((5.5e6..6.5e6).contains(&bps(probe(100_000_000, 2))));
    }

    #[test]
    fn too_little_shows_nothing_and_what_is_missing_is_waited_for() {
        assert_eq!(probe(100_000_000, 7), Outcome::Nothing);
        let mut rate = ProbeRate::default();
        let probed = Probed { cluster: 9, packets: 2, bytes: 200 };
        assert_eq!(rate.outcome(probed, false), Outcome::Waiting);
        rate.received(9, 0, 0, 100);
        assert_eq!(rate.outcome(probed, false), Outcome::Waiting);
        assert_eq!(rate.outcome(probed, true), Outcome::Nothing);
        for id in 1..=200 {
            rate.lost(id);
        }
        assert!(rate.clusters.len() <= CLUSTERS_MAX);
    }
}
