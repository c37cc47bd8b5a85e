//! What a second unit adds: one room on one unit, and the same room on two, each with as many receivers as the one had.
//!
//! Clients and units share the machine's cores here, so clients have to cost next to nothing: they connect as those of
//! the load generator do (`str0m`, ICE, DTLS), once, before anything is measured; then their sessions are played by
//! hand, on the thread of their unit, and the time of that is measured and left out. What is sent to them goes through
//! the unit's real socket to sockets that nobody reads, where the kernel drops it. All else is what the program does:
//! the engine, and around it the phases of the `media` role's loop with its links from thread to thread.

mod meeting;
mod players;
mod report;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use net::{NetConfig, UdpSocket, clock};

use crate::{json, limit};
use meeting::Meeting;
use report::{Report, Share};
use worker::Pace;

/// The options of `althing-bench units`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Units, each on a thread of its own
    #[arg(long, default_value_t = 2)]
    units: usize,
    /// Receivers on each unit; all are of one room
    #[arg(long, default_value_t = 50)]
    receivers: usize,
    /// Publishers in that room, shared out among the units
    #[arg(long, default_value_t = 2)]
    publishers: usize,
    /// Packets of each publisher that come in at once
    #[arg(long, default_value_t = 8)]
    burst: usize,
    /// Bytes of a packet's payload
    #[arg(long, default_value_t = 1100)]
    size: usize,
    /// No units: only encrypt and send, as `limit` does, on as many threads
    #[arg(long)]
    limit: bool,

    /// Seconds of the measurement
    #[arg(long, default_value_t = 3.0)]
    secs: f64,
    /// Seconds before it, in which estimators learn what paths carry
    #[arg(long, default_value_t = 2.0)]
    warm: f64,
    /// The core of each thread [default: anywhere]
    #[arg(long, value_delimiter = ',')]
    cpus: Vec<usize>,
    /// Write the results as JSON, one object a line
    #[arg(long)]
    json: Option<PathBuf>,
}

/// More than a machine has cores measures the scheduler.
const UNITS_MAX: usize = 64;
/// Receivers of a room are bounded (`model::limits`), and each is a socket.
const RECEIVERS_MAX: usize = 450;
/// What a sink holds before the kernel drops. Little: what is copied there is of no use to anybody.
const SINK_BYTES: usize = 64 << 10;

pub(crate) fn run(args: &Args) -> Result<()> {
    let report = measure(args)?;
    println!("{}", report.table());
    json::append(args.json.as_deref(), &[report])
}

fn measure(args: &Args) -> Result<Report> {
    ensure!((1..=UNITS_MAX).contains(&args.units), "--units: 1 to {UNITS_MAX}");
    ensure!((1..=RECEIVERS_MAX).contains(&args.receivers), "--receivers: 1 to {RECEIVERS_MAX}");
    ensure!((1..=20).contains(&args.publishers), "--publishers: 1 to 20");
    ensure!((1..=100).contains(&args.burst), "--burst: 1 to 100");
    ensure!((30..=1_160).contains(&args.size), "--size: 30 to 1160");
    ensure!(args.secs.is_finite() && (0.1..=600.0).contains(&args.secs), "--secs: 0.1 to 600");
    ensure!(args.warm.is_finite() && (0.0..=600.0).contains(&args.warm), "--warm: 0 to 600");
    ensure!(args.cpus.is_empty() || args.cpus.len() == args.units, "--cpus: one for each of the --units");
    let shares = if args.limit { measure_limit(args)? } else { measure_units(args)? };
    Ok(Report::new(args, &shares))
}

fn measure_units(args: &Args) -> Result<Vec<Share>> {
    let pace = Arc::new(Pace::new(args.units));
    let meeting = Meeting::open(args, &pace)?;
    let times = args.times();
    let begin = clock::now();
    let threads = meeting.workers.into_iter().enumerate().map(|(index, worker)| {
        let name = format!("unit-{index}");
        net::spawn_pinned(&name, args.cpus.get(index).copied(), move || worker.run(begin, times))
    });
    // All are started before the first is waited for.
    let threads: Vec<_> = threads.collect::<std::io::Result<_>>()?;
    let ended = threads.into_iter().map(|thread| {
        let ended = thread.join().map_err(|_| anyhow::anyhow!("a unit panicked"))?;
        Ok(ended?)
    });
    let ended: Vec<_> = ended.collect::<Result<_>>()?;
    drop(meeting.sinks);
    Ok(ended.into_iter().map(|(share, _)| share).collect())
}

fn measure_limit(args: &Args) -> Result<Vec<Share>> {
    let times = args.times();
    let mut sinks = Vec::new();
    let mut threads = Vec::new();
    for index in 0..args.units {
        let own = (0..args.receivers).map(|_| sink()).collect::<Result<Vec<_>>>()?;
        let addresses: Vec<_> = own.iter().map(UdpSocket::local_addr).collect();
        sinks.extend(own);
        // As many packets in a row for each destination as a unit has for each receiver.
        let limit = limit::Args::saturating(args.receivers, args.publishers * args.burst, args.size);
        let name = format!("sender-{index}");
        threads.push(net::spawn_pinned(&name, args.cpus.get(index).copied(), move || {
            limit::send(&limit, &addresses, times)
        })?);
    }
    let ended = threads.into_iter().map(|thread| {
        let (packets, wall, cpu) = thread.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??;
        Ok(Share { packets, wall, cpu, ..Share::default() })
    });
    ended.collect()
}

/// A socket of a client that nobody reads. Without receive offload: runs are then cut into packets before they are
/// dropped, as for an interface that cannot do it. With it, a run of any length would be one thing to drop.
fn sink() -> Result<UdpSocket> {
    let config = NetConfig { receive_buffer_bytes: SINK_BYTES, gro: false, ..NetConfig::default() };
    UdpSocket::bind(([127, 0, 0, 1], 0).into(), &config).context("a client's socket")
}

impl Args {
    /// What is not measured, and what is.
    fn times(&self) -> [Duration; 2] {
        [self.warm, self.secs].map(Duration::from_secs_f64)
    }
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
        let args = Line::parse_from(std::iter::once("units").chain(line.split_whitespace())).args;
        measure(&args).unwrap()
    }

    /// Everybody is sent everything, on one unit and on two; what is of the other unit has crossed the link.
    #[test]
    fn a_room_over_two_units_is_one_room() {
        for units in [1, 2] {
            let line = format!("--units {units} --receivers 20 --burst 4 --warm 1 --secs 0.5");
            let report = measured(&line);
            assert!(report.packets > 0 && report.pps > 0.0, "{report:?}");
            assert_eq!((report.relayed > 0, report.batches_lost), (units == 2, 0), "{report:?}");
            let missing = 1.0 - report.packets as f64 / report.packets_due as f64;
            assert!(missing.abs() < 0.01, "{missing} of what came in did not go out: {report:?}");
            assert!(report.estimated_mbps > 1.0, "estimators have learnt something: {report:?}");
        }
    }

    #[test]
    fn encrypting_and_sending_only_is_measured_by_the_same_means() {
        let report = measured("--limit --units 2 --receivers 3 --warm 0 --secs 0.2");
        assert!(report.packets > 1_000 && report.ns_per_packet > 0.0, "{report:?}");
    }
}
