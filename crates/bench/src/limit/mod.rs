//! *Limit*: SRTP encryption and batched sending of the same packets to the same number of destinations, and nothing
//! else. No program that encrypts for each receiver and sends by the same calls on this machine can do with less.
//!
//! It uses the server's own encryption (`rtc::srtp`) and sockets (`net`), its load has the generator's shapes
//! (`load::source`), packets leave in the order in which the server sends them (receivers outside, packets inside), and
//! it gathers for as long as a unit does. It neither receives, nor parses, nor decides, nor rewrites.

mod packets;
mod report;
mod sender;
mod sink;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use rtc::srtp::Profile;

use crate::json;
use report::Report;
use sender::Sender;

/// The options of `althing-bench limit`; those of `althing-load` with the same names mean the same.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Destinations, each with keys of its own
    #[arg(long, default_value_t = 50)]
    pub(crate) receivers: usize,
    /// Packets a second to each destination
    #[arg(long, default_value_t = 250.0)]
    pub(crate) pps: f64,
    /// Packets released at once
    #[arg(long, default_value_t = 8)]
    pub(crate) burst: usize,
    /// Bytes of a packet's payload
    #[arg(long, default_value_t = 1100)]
    pub(crate) size: usize,
    /// Rates and sizes as recorded from a camera, instead of a steady rate
    #[arg(long, value_enum)]
    pub(crate) profile: Option<load::args::Profile>,
    /// As many packets as one core can send, instead of a rate
    #[arg(long)]
    pub(crate) saturate: bool,
    /// How packets are protected; the default is what Althing and the generator agree on
    #[arg(long, value_enum, default_value_t = Srtp::Aes256Gcm)]
    pub(crate) srtp: Srtp,
    /// Every so many-th destination decrypts, and times packets; the others count. 0: none
    #[arg(long, default_value_t = 10)]
    pub(crate) feed: usize,

    /// Seconds of the measurement
    #[arg(long, default_value_t = 5.0)]
    pub(crate) secs: f64,
    /// Seconds before it
    #[arg(long, default_value_t = 0.5)]
    pub(crate) warm: f64,
    /// Core to send on
    #[arg(long)]
    pub(crate) cpu: Option<usize>,
    /// Core to receive on
    #[arg(long)]
    pub(crate) sink_cpu: Option<usize>,
    /// Ask the kernel when packets arrive, as `althing-load --delay` does
    #[arg(long)]
    pub(crate) delay: bool,
    /// Write the results as JSON, one object a line
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
}

/// Protection profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Srtp {
    Aes256Gcm,
    Aes128Gcm,
    AesCmSha1,
}

impl From<Srtp> for Profile {
    fn from(srtp: Srtp) -> Self {
        match srtp {
            Srtp::Aes256Gcm => Self::AeadAes256Gcm,
            Srtp::Aes128Gcm => Self::AeadAes128Gcm,
            Srtp::AesCmSha1 => Self::AesCm128HmacSha1_80,
        }
    }
}

/// Destinations at most: each is a socket.
const RECEIVERS_MAX: usize = 5_000;

pub(crate) fn run(args: &Args) -> Result<()> {
    let report = measure(args)?;
    println!("{}", report.table());
    json::append(args.json.as_deref(), &[report])
}

impl Args {
    /// As many packets as one core can send, of what the generator agrees on; to destinations that read nothing.
    pub(crate) fn saturating(receivers: usize, burst: usize, size: usize) -> Self {
        Self {
            receivers,
            pps: 1.0,
            burst,
            size,
            profile: None,
            saturate: true,
            srtp: Srtp::Aes256Gcm,
            feed: 0,
            secs: 0.0,
            warm: 0.0,
            cpu: None,
            sink_cpu: None,
            delay: false,
            json: None,
        }
    }
}

/// Sends on this thread for both times. Gives what it did in the second one: packets sent, time, CPU time.
pub(crate) fn send(
    args: &Args,
    destinations: &[SocketAddr],
    [warm, measured]: [Duration; 2],
) -> Result<(u64, Duration, Duration)> {
    let mut sender = Sender::new(args, destinations)?;
    sender.send_for(warm, args.saturate)?;
    sender.begin_measurement();
    sender.send_for(measured, args.saturate)?;
    let sent = sender.measured()?;
    Ok((sent.outcome.sent, sent.length, sent.cpu))
}

fn measure(args: &Args) -> Result<Report> {
    ensure!((1..=RECEIVERS_MAX).contains(&args.receivers), "--receivers: 1 to {RECEIVERS_MAX}");
    ensure!(args.pps.is_finite() && args.pps > 0.0, "--pps: more than 0");
    ensure!((1..=1000).contains(&args.burst), "--burst: 1 to 1000");
    ensure!((30..=1_160).contains(&args.size), "--size: 30 to 1160");
    ensure!(args.secs.is_finite() && (0.1..=3_600.0).contains(&args.secs), "--secs: 0.1 to 3600");
    ensure!(args.warm.is_finite() && (0.0..=3_600.0).contains(&args.warm), "--warm: 0 to 3600");
    let sink = sink::start(args)?;
    let mut sender = Sender::new(args, sink.addresses())?;
    let (warm, secs) = (Duration::from_secs_f64(args.warm), Duration::from_secs_f64(args.secs));
    let saturate = args.saturate;
    let worker = net::spawn_pinned("sender", args.cpu, move || -> std::io::Result<_> {
        sender.send_for(warm, saturate)?;
        sender.begin_measurement();
        sender.send_for(secs, saturate)?;
        sender.measured()
    })?;
    let sent = worker.join().map_err(|_| anyhow::anyhow!("the sender panicked"))??;
    let received = sink.stop()?;
    Ok(Report::new(args, &sent, &received))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn measured(line: &str) -> Report {
        let args = Line::parse_from(std::iter::once("limit").chain(line.split_whitespace())).args;
        measure(&args).unwrap()
    }

    /// What arrives is what was sent: every destination can open its packets, in every profile.
    #[test]
    fn what_is_sent_can_be_opened_by_its_receiver_and_by_no_other() {
        for srtp in ["aes256-gcm", "aes128-gcm", "aes-cm-sha1"] {
            let line =
                format!("--receivers 7 --pps 400 --burst 8 --secs 0.3 --warm 0 --feed 1 --srtp {srtp}");
            let report = measured(&line);
            assert_eq!(report.undecryptable, 0, "{report:?}");
            assert_eq!(report.received, report.decrypted, "{report:?}");
            assert!(report.received > 500 && report.delivered_pct > 99.0, "{report:?}");
            assert_eq!((report.sent % 7, report.dropped), (0, 0), "{report:?}");
        }
    }

    #[test]
    fn sizes_as_recorded_are_sent_and_timed() {
        let report = measured("--receivers 3 --profile camera --secs 0.5 --warm 0 --feed 1 --delay");
        assert!(report.received > 100 && report.undecryptable == 0, "{report:?}");
        assert_eq!(report.delay_samples, report.decrypted, "{report:?}");
        assert!(report.delay_us_p50 <= report.delay_us_p999, "{report:?}");
    }

    #[test]
    fn saturation_is_not_held_back_by_a_rate() {
        let report = measured("--receivers 5 --pps 1 --saturate --secs 0.2 --warm 0 --feed 0");
        assert!(report.sent > 5_000 && report.ns_per_packet > 0.0, "{report:?}");
        assert_eq!(report.pps_target, None);
    }
}
