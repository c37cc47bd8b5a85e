//! Reception statistics of one source, for report blocks (RFC 3550 §6.4.1, appendices A.3 and A.8).

use std::time::Duration;

use super::ntp::short_from_duration;
use super::{NtpTime, ReportBlock};

/// What we received of one source. Its packets are known to be authentic, so no probation is needed (A.1).
#[derive(Debug, Clone)]
pub struct Reception {
    ssrc: u32,
    clock_rate_hz: u32,
    base: u64,
    highest: u64,
    received: u64,
    expected_prior: u64,
    received_prior: u64,
    /// In 1/16 of a clock unit, as in A.8.
    jitter_16: u32,
    transit: u32,
    last_sender_report: Option<(NtpTime, Duration)>,
}

impl Reception {
    /// Begins with the first packet of a source: its extended sequence number, its timestamp, and when it arrived
    /// (since any fixed instant). `clock_rate_hz` is that of its codec.
    pub fn new(
        ssrc: u32,
        clock_rate_hz: u32,
        sequence_number: u64,
        timestamp: u32,
        arrival: Duration,
    ) -> Self {
        Self {
            ssrc,
            clock_rate_hz,
            base: sequence_number,
            highest: sequence_number,
            received: 1,
            expected_prior: 0,
            received_prior: 0,
            jitter_16: 0,
            transit: transit(clock_rate_hz, timestamp, arrival),
            last_sender_report: None,
        }
    }

    /// A further packet.
    #[inline]
    pub fn received(&mut self, sequence_number: u64, timestamp: u32, arrival: Duration) {
        self.received += 1;
        self.base = self.base.min(sequence_number);
        self.highest = self.highest.max(sequence_number);
        let transit = transit(self.clock_rate_hz, timestamp, arrival);
        let deviation = (transit.wrapping_sub(self.transit) as i32).unsigned_abs();
        self.transit = transit;
        // A jump of more than 16 seconds is another clock, not jitter.
        if deviation <= self.clock_rate_hz.saturating_mul(16) {
            let decay = (self.jitter_16.saturating_add(8)) >> 4;
            self.jitter_16 = self.jitter_16.saturating_add(deviation).saturating_sub(decay);
        }
    }

    /// A sender report of this source, and when it arrived.
    pub fn sender_report(&mut self, ntp: NtpTime, arrival: Duration) {
        self.last_sender_report = Some((ntp, arrival));
    }

    /// The clock of the codec.
    pub fn clock_rate_hz(&self) -> u32 {
        self.clock_rate_hz
    }

    /// The highest extended sequence number.
    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// Interarrival jitter.
    pub fn jitter(&self) -> Duration {
        let units = u64::from(self.jitter_16 >> 4);
        Duration::from_micros(units * 1_000_000 / u64::from(self.clock_rate_hz.max(1)))
    }

    /// Packets that should have come and did not, less duplicates.
    pub fn lost(&self) -> i64 {
        self.expected() as i64 - self.received as i64
    }

    /// The report block for now. The fraction lost is that since the call before.
    pub fn report(&mut self, now: Duration) -> ReportBlock {
        let expected = self.expected();
        let expected_since = expected - self.expected_prior;
        let received_since = self.received - self.received_prior;
        self.expected_prior = expected;
        self.received_prior = self.received;
        let lost_since = expected_since.saturating_sub(received_since);
        let fraction_lost = (lost_since << 8).checked_div(expected_since).unwrap_or(0).min(255) as u8;
        let (last_sender_report, delay_since_last_sender_report) = match self.last_sender_report {
            Some((ntp, arrival)) => (ntp.middle(), short_from_duration(now.saturating_sub(arrival))),
            None => (0, 0),
        };
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost,
            cumulative_lost: self.lost().clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence_number: self.highest as u32,
            jitter: self.jitter_16 >> 4,
            last_sender_report,
            delay_since_last_sender_report,
        }
    }

    fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }
}

/// How long a packet was on its way, in clock units and from an unknown start.
#[inline]
fn transit(clock_rate_hz: u32, timestamp: u32, arrival: Duration) -> u32 {
    let units = arrival.as_secs().wrapping_mul(clock_rate_hz.into())
        + u64::from(arrival.subsec_micros()) * u64::from(clock_rate_hz) / 1_000_000;
    (units as u32).wrapping_sub(timestamp)
}
