//! The results of one measurement, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use crate::media::{Received, Totals};
use crate::stats::percentile;

/// What was measured in one window. Absent values could not be measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Name of the run.
    pub label: String,
    /// Rooms among which clients are shared out.
    pub rooms: usize,
    /// Clients that send.
    pub publishers: usize,
    /// Clients that receive.
    pub receivers: usize,
    /// Clients that failed.
    pub clients_failed: usize,
    /// Rate asked for, of each video track; absent with a profile.
    pub pps_target: Option<f64>,
    /// Length of the window.
    pub secs: f64,

    /// Packets that publishers sent.
    pub sent: u64,
    /// Packets that should have arrived.
    pub expected: u64,
    /// Packets that arrived.
    pub forwarded: u64,
    /// The same, a second.
    pub forwarded_pps: f64,
    /// Bits that arrived, a second.
    pub forwarded_mbps: f64,
    /// Arrived of expected.
    pub delivered_pct: f64,
    /// Gaps in the sequence numbers.
    pub lost: u64,
    /// Packets that arrived more than once.
    pub doubled: u64,
    /// Retransmissions that arrived.
    pub repairs: u64,
    /// Packets of SSRCs that no answer declared.
    pub unknown: u64,
    /// Packets decrypted, by those receivers that do.
    pub decrypted: u64,
    /// Payloads that were looked into.
    pub verified: u64,
    /// Those of them that were not as they were sent.
    pub damaged: u64,
    /// Video slots by the size of their picture, such as `3840x2160`, where it was looked into.
    pub pictures: BTreeMap<String, usize>,
    /// The largest size that publishers' streams were announced with, if any was.
    pub announced: Option<String>,
    /// Datagrams of reports and feedback that receivers sent. 0: there was no feedback.
    pub reports: u64,
    /// Packets whose way was timed, by those receivers that decrypt; from the publisher's sending to the arrival in the
    /// kernel.
    pub delay_samples: u64,
    /// How long they took, in µs: half of them less, …
    pub delay_us_p50: Option<f64>,
    /// … 99 % of them less, …
    pub delay_us_p99: Option<f64>,
    /// … 99.9 % of them less.
    pub delay_us_p999: Option<f64>,
    /// Gaps of more than 200 ms between frames of a video slot.
    pub freezes: u64,
    /// Their length together.
    pub frozen_secs: f64,
    /// Video slots that stood still at the end.
    pub frozen_at_end: usize,
    /// Key frames that the server asked publishers for.
    pub key_frame_requests: u64,

    /// From the beginning of a receiver's join to its first media packet.
    pub join_ms_median: Option<f64>,
    /// The same, 95th percentile.
    pub join_ms_p95: Option<f64>,
    /// The same, 99th percentile.
    pub join_ms_p99: Option<f64>,
    /// From the first receiver's join until media flowed on all slots.
    pub join_secs: f64,
    /// Receivers that did not get in.
    pub joins_failed: usize,
    /// Our own CPU time while they joined, of one core's.
    pub join_own_cpu_pct: f64,
    /// The server's.
    pub join_server_cpu_pct: Option<f64>,
    /// From the beginning of a receiver's join to the end of its handshake.
    pub connect_ms_median: Option<f64>,

    /// The server's CPU time for each packet that arrived.
    pub server_ns_per_packet: Option<f64>,
    /// The server's CPU time of one core's.
    pub server_cpu_pct: Option<f64>,
    /// The server's memory.
    pub server_rss_kib: Option<u64>,
    /// What the server's memory grew by while receivers joined, for each.
    pub server_rss_per_receiver_kib: Option<f64>,

    /// Our own CPU time of one core's. Near 100 with one thread: this program was the limit.
    pub own_cpu_pct: f64,
    /// How late a frame was sent at most. Large: this machine is too busy for its results to mean much.
    pub own_late_ms_max: f64,
    /// Frames never sent because this program was behind.
    pub own_frames_skipped: u64,
    /// Datagrams that our own sockets did not take.
    pub own_datagrams_dropped: u64,
    /// WebSockets that ended.
    pub sockets_lost: usize,
    /// Requests that the server refused.
    pub requests_refused: usize,
}

/// How the number of packets that should have arrived is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expectation {
    /// Each receiver gets so many of the publishers' video and audio tracks, whole.
    Tracks {
        /// Bound video slots of all receivers, divided by the video tracks there are.
        video_copies: f64,
        /// The same for audio.
        audio_copies: f64,
    },
    /// The server chooses what to forward (simulcast): what arrived and the gaps in it.
    Gaps,
}

impl Expectation {
    fn packets(self, window: &Totals) -> u64 {
        match self {
            Expectation::Tracks { video_copies, audio_copies } => {
                let video = window.sent_video as f64 * video_copies;
                let audio = window.sent_audio as f64 * audio_copies;
                (video + audio).round() as u64
            }
            Expectation::Gaps => {
                let of = |received: &Received| received.packets + received.lost;
                of(&window.video) + of(&window.audio)
            }
        }
    }
}

impl Report {
    /// Fills in what the clients counted in a window of that length.
    pub fn count(&mut self, window: &mut Totals, length: Duration, expectation: Expectation) {
        let secs = length.as_secs_f64().max(f64::MIN_POSITIVE);
        self.secs = round(secs, 2);
        self.sent = window.sent_video + window.sent_audio;
        self.expected = expectation.packets(window);
        self.forwarded = window.video.packets + window.audio.packets;
        self.forwarded_pps = round(self.forwarded as f64 / secs, 0);
        self.forwarded_mbps = round((window.video.bytes + window.audio.bytes) as f64 * 8.0 / secs / 1e6, 2);
        self.delivered_pct = round(100.0 * self.forwarded as f64 / self.expected.max(1) as f64, 2);
        self.lost = window.video.lost + window.audio.lost;
        self.doubled = window.video.doubled + window.audio.doubled;
        self.repairs = window.repairs;
        self.unknown = window.unknown;
        self.decrypted = window.decrypted;
        (self.verified, self.damaged) = (window.verified, window.damaged);
        self.pictures.clear();
        for (width, height) in &window.sizes {
            *self.pictures.entry(format!("{width}x{height}")).or_default() += 1;
        }
        self.reports = window.reports;
        self.delay_samples = window.delays.len();
        let micros = |share| window.delays.percentile(share).map(|delay| delay.as_secs_f64() * 1e6);
        (self.delay_us_p50, self.delay_us_p99) = (micros(0.5), micros(0.99));
        self.delay_us_p999 = micros(0.999);
        self.freezes = window.freezes;
        self.frozen_secs = round(window.frozen.as_secs_f64(), 2);
        self.frozen_at_end = window.frozen_now;
        self.key_frame_requests = window.key_frame_requests;
        self.join_ms_median = percentile(&mut window.join_ms, 0.5).map(|ms| round(ms, 1));
        self.join_ms_p95 = percentile(&mut window.join_ms, 0.95).map(|ms| round(ms, 1));
        self.join_ms_p99 = percentile(&mut window.join_ms, 0.99).map(|ms| round(ms, 1));
        self.connect_ms_median = percentile(&mut window.connect_ms, 0.5).map(|ms| round(ms, 1));
        self.own_late_ms_max = round(window.late_max.as_secs_f64() * 1000.0, 1);
        self.own_frames_skipped = window.skipped;
        self.own_datagrams_dropped = window.dropped;
        self.clients_failed = window.failed;
    }

    /// Fills in what the server used in the window.
    pub fn server(&mut self, cpu: Duration, rss_kib: u64, rss_before_kib: u64) {
        self.server_ns_per_packet = Some(round(cpu.as_nanos() as f64 / self.forwarded.max(1) as f64, 0));
        self.server_cpu_pct = Some(round(100.0 * cpu.as_secs_f64() / self.secs, 1));
        self.server_rss_kib = Some(rss_kib);
        let grown = rss_kib as f64 - rss_before_kib as f64;
        self.server_rss_per_receiver_kib = Some(round(grown / self.receivers.max(1) as f64, 1));
    }

    /// Whether nearly everything arrived, and the generator itself kept up.
    pub fn is_good(&self) -> bool {
        self.delivered_pct >= 98.0 && self.expected > 0 && self.own_frames_skipped == 0
    }

    /// The results for people.
    pub fn table(&self) -> String {
        let mut table = String::new();
        let mut line = |name: &str, value: String| {
            // Writing to a text does not fail.
            let _ = writeln!(table, "  {name:<26}{value}");
        };
        let ms = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.0} ms"));
        line(
            "clients",
            format!("{} send, {} receive, {} failed", self.publishers, self.receivers, self.clients_failed),
        );
        if let Some(pps) = self.pps_target {
            line("rate of a video track", format!("{pps:.0} packets/s"));
        }
        line("measured", format!("{} s", self.secs));
        line("sent", format!("{} packets", self.sent));
        line("delivered", format!("{} % ({} of {})", self.delivered_pct, self.forwarded, self.expected));
        line("forwarded", format!("{:.0} packets/s, {} Mbit/s", self.forwarded_pps, self.forwarded_mbps));
        line("sequence gaps", format!("{} ({} repaired, {} doubled)", self.lost, self.repairs, self.doubled));
        line("reports sent", self.reports.to_string());
        if self.verified > 0 {
            let sizes = self.pictures.iter().map(|(size, slots)| format!("{slots} of {size}"));
            line("looked into", format!("{} payloads, {} damaged", self.verified, self.damaged));
            line("pictures", sizes.collect::<Vec<_>>().join(", "));
        }
        if let (Some(p50), Some(p99), Some(p999)) = (self.delay_us_p50, self.delay_us_p99, self.delay_us_p999)
        {
            line("forwarding delay", format!("50 % {p50:.0} µs, 99 % {p99:.0} µs, 99.9 % {p999:.0} µs"));
        }
        line(
            "freezes over 200 ms",
            format!(
                "{} ({} s), {} slots frozen at the end",
                self.freezes, self.frozen_secs, self.frozen_at_end
            ),
        );
        line("key frames asked for", self.key_frame_requests.to_string());
        line(
            "join to first packet",
            format!("median {}, 95 % {}", ms(self.join_ms_median), ms(self.join_ms_p95)),
        );
        line("join to connected", format!("median {}", ms(self.connect_ms_median)));
        if let Some(ns) = self.server_ns_per_packet {
            line(
                "server CPU",
                format!("{ns:.0} ns a packet, {:.1} % of a core", self.server_cpu_pct.unwrap_or(0.0)),
            );
        }
        if let Some(rss) = self.server_rss_kib {
            let each = self.server_rss_per_receiver_kib.unwrap_or(0.0);
            line("server memory", format!("{rss} KiB, {each:.0} KiB a receiver"));
        }
        let late = self.own_late_ms_max;
        line("own CPU", format!("{:.1} % of a core, frames at most {late} ms late", self.own_cpu_pct));
        for (name, count) in [
            ("! frames not sent in time", self.own_frames_skipped),
            ("! own datagrams dropped", self.own_datagrams_dropped),
            ("! undeclared SSRCs, packets", self.unknown),
            ("! joins failed", self.joins_failed as u64),
            ("! WebSockets lost", self.sockets_lost as u64),
            ("! requests refused", self.requests_refused as u64),
        ] {
            if count > 0 {
                line(name, count.to_string());
            }
        }
        table
    }
}

/// Rounds to that many decimals, so that output compares and reads well.
pub fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Totals {
        Totals {
            sent_video: 1_000,
            sent_audio: 100,
            video: Received { packets: 9_500, bytes: 9_500_000, lost: 500, doubled: 1, slots: 10 },
            audio: Received { packets: 1_000, bytes: 100_000, lost: 0, doubled: 0, slots: 10 },
            join_ms: vec![300.0, 100.0, 200.0],
            ..Totals::default()
        }
    }

    #[test]
    fn delivery_is_of_what_was_sent_to_all() {
        let mut report = Report { receivers: 10, ..Report::default() };
        let expectation = Expectation::Tracks { video_copies: 10.0, audio_copies: 10.0 };
        report.count(&mut window(), Duration::from_secs(2), expectation);
        assert_eq!((report.expected, report.forwarded, report.delivered_pct), (11_000, 10_500, 95.45));
        assert_eq!((report.forwarded_pps, report.forwarded_mbps), (5_250.0, 38.4));
        assert_eq!((report.join_ms_median, report.join_ms_p95), (Some(200.0), Some(300.0)));
        assert!(!report.is_good());
        report.server(Duration::from_millis(21), 50_000, 48_000);
        assert_eq!(report.server_ns_per_packet, Some(2_000.0));
        assert_eq!((report.server_cpu_pct, report.server_rss_per_receiver_kib), (Some(1.1), Some(200.0)));
        let table = report.table();
        assert!(table.contains("95.45 % (10500 of 11000)") && table.contains("2000 ns a packet"), "{table}");
        assert!(!table.contains('!'), "{table}");
    }

    #[test]
    fn with_a_choice_of_layers_only_gaps_are_missing() {
        let mut report = Report::default();
        report.count(&mut window(), Duration::from_secs(1), Expectation::Gaps);
        assert_eq!((report.expected, report.forwarded), (11_000, 10_500));
    }

    #[test]
    fn nothing_sent_is_not_good() {
        let mut report = Report::default();
        report.count(&mut Totals::default(), Duration::ZERO, Expectation::Gaps);
        assert!(!report.is_good());
        assert!(serde_json::to_string(&report).unwrap().contains("\"server_rss_kib\":null"));
    }
}
