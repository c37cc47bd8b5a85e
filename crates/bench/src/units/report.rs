//! What the units did, as a table and as JSON.

use std::time::Duration;

use load::report::round;
use serde::Serialize;

use super::Args;

/// What one thread did while it was measured.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    /// Sent on to receivers.
    pub(super) packets: u64,
    pub(super) wall: Duration,
    pub(super) cpu: Duration,
    /// Time of the clients that are played on this thread: in `wall` and `cpu`, and no unit's work.
    pub(super) played: Duration,
    /// Time in which there was nothing to do, for another unit was behind.
    pub(super) waited: Duration,
    /// Came from other units.
    pub(super) relayed: u64,
    /// Batches for units that were behind.
    pub(super) batches_lost: u64,
    /// Packets that waited for a receiver's path, as far as an estimator knew it.
    pub(super) paced: u64,
    /// Datagrams that the kernel did not take.
    pub(super) dropped: u64,
    /// Came in, from publishers and other units, times receivers.
    pub(super) due: u64,
    /// What an estimator thinks a path carries, in the middle of all receivers.
    pub(super) estimated_mbps: f64,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    /// `units` or `limit`.
    pub(super) subject: &'static str,
    pub(super) units: usize,
    pub(super) receivers: usize,
    pub(super) publishers: usize,
    pub(super) burst: usize,
    pub(super) secs: f64,
    pub(super) packets: u64,
    /// Of all threads, over the time that was the units' own.
    pub(super) pps: f64,
    /// CPU time of all threads for each packet, without that of the played clients.
    pub(super) ns_per_packet: f64,
    pub(super) played_pct: f64,
    pub(super) waited_pct: f64,
    pub(super) relayed: u64,
    pub(super) batches_lost: u64,
    pub(super) paced: u64,
    pub(super) dropped: u64,
    pub(super) packets_due: u64,
    pub(super) estimated_mbps: f64,
}

impl Report {
    pub(super) fn new(args: &Args, shares: &[Share]) -> Self {
        let sum = |of: fn(&Share) -> u64| shares.iter().map(of).sum::<u64>();
        let total = |of: fn(&Share) -> Duration| shares.iter().map(of).sum::<Duration>().as_secs_f64();
        let (wall, cpu) = (total(|s| s.wall), total(|s| s.cpu));
        let (played, waited) = (total(|s| s.played), total(|s| s.waited));
        let packets = sum(|s| s.packets);
        let pps = |s: &Share| s.packets as f64 / s.wall.saturating_sub(s.played).as_secs_f64().max(1e-9);
        let percent = |part: f64| round(100.0 * part / wall.max(1e-9), 2);
        let count = shares.len().max(1) as f64;
        Self {
            subject: if args.limit { "limit" } else { "units" },
            units: args.units,
            receivers: args.receivers,
            publishers: args.publishers,
            burst: args.burst,
            secs: round(wall / count, 2),
            packets,
            pps: round(shares.iter().map(pps).sum(), 0),
            ns_per_packet: round((cpu - played).max(0.0) * 1e9 / packets.max(1) as f64, 1),
            played_pct: percent(played),
            waited_pct: percent(waited),
            relayed: sum(|s| s.relayed),
            batches_lost: sum(|s| s.batches_lost),
            paced: sum(|s| s.paced),
            dropped: sum(|s| s.dropped),
            packets_due: sum(|s| s.due),
            estimated_mbps: round(shares.iter().map(|s| s.estimated_mbps).sum::<f64>() / count, 1),
        }
    }

    pub(super) fn table(&self) -> String {
        let Self { subject, units, receivers, publishers, burst, secs, pps, ns_per_packet, .. } = self;
        format!(
            "  {subject} on {units} threads, {receivers} receivers each, {publishers} publishers, bursts of {burst}, \
             {secs} s\n  sent       {} packets, {pps:.0} packets/s, {} dropped\n  \
             CPU        {ns_per_packet:.0} ns a packet; clients {} %, waiting {} % of the time\n  \
             relayed    {} packets, {} batches lost; {} packets were paced, paths of {} Mbit/s\n",
            self.packets,
            self.dropped,
            self.played_pct,
            self.waited_pct,
            self.relayed,
            self.batches_lost,
            self.paced,
            self.estimated_mbps,
        )
    }
}
