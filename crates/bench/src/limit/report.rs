//! What *limit* found, as a table and as JSON; fields that `althing-load` has too mean the same.

use load::report::round;
use serde::Serialize;

use super::Args;
use super::sender::Sent;
use super::sink::Arrivals;

#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    pub(super) receivers: usize,
    /// Absent with a profile, and at saturation.
    pub(super) pps_target: Option<f64>,
    pub(super) burst: usize,
    pub(super) srtp: String,
    pub(super) gso: bool,
    pub(super) secs: f64,
    pub(super) sent: u64,
    pub(super) sent_pps: f64,
    /// CPU time of the sending thread for each packet.
    pub(super) ns_per_packet: f64,
    pub(super) cpu_pct: f64,
    pub(super) packets_per_call: f64,
    /// Datagrams that the kernel did not take.
    pub(super) dropped: u64,
    /// Of all that were sent, before the measurement too.
    pub(super) delivered_pct: f64,
    pub(super) received: u64,
    pub(super) decrypted: u64,
    pub(super) undecryptable: u64,
    pub(super) delay_samples: u64,
    pub(super) delay_us_p50: Option<f64>,
    pub(super) delay_us_p99: Option<f64>,
    pub(super) delay_us_p999: Option<f64>,
}

impl Report {
    pub(super) fn new(args: &Args, sent: &Sent, arrived: &Arrivals) -> Self {
        let secs = sent.length.as_secs_f64().max(f64::MIN_POSITIVE);
        let packets = sent.outcome.sent as f64;
        let micros = |share| arrived.delays.percentile(share).map(|delay| delay.as_secs_f64() * 1e6);
        Self {
            receivers: args.receivers,
            pps_target: (args.profile.is_none() && !args.saturate).then_some(args.pps),
            burst: args.burst,
            srtp: format!("{:?}", rtc::srtp::Profile::from(args.srtp)),
            gso: sent.gso,
            secs: round(secs, 2),
            sent: sent.outcome.sent,
            sent_pps: round(packets / secs, 0),
            ns_per_packet: round(sent.cpu.as_nanos() as f64 / packets.max(1.0), 0),
            cpu_pct: round(100.0 * sent.cpu.as_secs_f64() / secs, 1),
            packets_per_call: round(packets / sent.outcome.syscalls.max(1) as f64, 1),
            dropped: sent.outcome.dropped,
            delivered_pct: round(100.0 * arrived.packets as f64 / sent.all.max(1) as f64, 2),
            received: arrived.packets,
            decrypted: arrived.decrypted,
            undecryptable: arrived.undecryptable,
            delay_samples: arrived.delays.len(),
            delay_us_p50: micros(0.5),
            delay_us_p99: micros(0.99),
            delay_us_p999: micros(0.999),
        }
    }

    pub(super) fn table(&self) -> String {
        let mut table = format!(
            "  {} destinations, {} {}, {} s\n  sent       {} packets, {:.0} packets/s, {} a call, {} dropped\n  \
             CPU        {:.0} ns a packet, {} % of a core\n  delivered  {} %, {} decrypted, {} not decryptable\n",
            self.receivers,
            self.srtp,
            if self.gso { "with GSO" } else { "without GSO" },
            self.secs,
            self.sent,
            self.sent_pps,
            self.packets_per_call,
            self.dropped,
            self.ns_per_packet,
            self.cpu_pct,
            self.delivered_pct,
            self.decrypted,
            self.undecryptable,
        );
        if let (Some(p50), Some(p99), Some(p999)) = (self.delay_us_p50, self.delay_us_p99, self.delay_us_p999)
        {
            table += &format!("  delay      50 % {p50:.0} µs, 99 % {p99:.0} µs, 99.9 % {p999:.0} µs\n");
        }
        table
    }
}
