//! What the estimator costs for each packet: `cargo run --release -p rtc --example bwe_cost`.
//!
//! Two hundred receivers take turns, so that what one needs is not always in the first cache. Each is sent packets in
//! bursts of eight and reports every 100 ms; what is timed is noting what was sent, and taking the feedback with its
//! parsing.

use std::time::{Duration, Instant};

use model::Bitrate;
use rtc::bwe::Estimator;
use rtc::rtcp::{ArrivalLog, Compound, Packet};

const RECEIVERS: usize = 200;
const SECONDS: u32 = 10;

struct Receiver {
    estimator: Estimator,
    sequence: u16,
    log: ArrivalLog,
    feedback: Vec<u8>,
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn clock() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "a benchmark prints")]
fn main() {
    for packets_per_second in [250u32, 2_500] {
        let (sent, taken) = run(packets_per_second);
        println!(
            "{RECEIVERS} receivers x {packets_per_second} packets/s: {sent:.1} ns/packet sent, {taken:.1} ns/packet of feedback, {:.1} ns together",
            sent + taken
        );
    }
}

/// Nanoseconds for each packet: noting it, and its part of the feedback.
fn run(packets_per_second: u32) -> (f64, f64) {
    let base = clock();
    let mut receivers: Vec<Receiver> = (0..RECEIVERS)
        .map(|_| {
            let mut estimator = Estimator::new(base);
            estimator.set_numbered(true);
            estimator.set_wanted(base, Bitrate::from_kbps(1_000));
            Receiver { estimator, sequence: 0, log: ArrivalLog::new(), feedback: Vec::new() }
        })
        .collect();
    let bursts = packets_per_second * SECONDS / 8;
    let gap = Duration::from_secs(8) / packets_per_second;
    let (mut sending, mut taking) = (Duration::ZERO, Duration::ZERO);
    let mut next_report = base + Duration::from_millis(100);
    for burst in 0..bursts {
        let now = base + gap * burst;
        let begin = clock();
        for receiver in &mut receivers {
            for _ in 0..8 {
                receiver.sequence = receiver.sequence.wrapping_add(1);
                receiver.estimator.handle_sent(now, Some(receiver.sequence), 1_140);
            }
        }
        sending += clock() - begin;
        for receiver in &mut receivers {
            for behind in (0..8u16).rev() {
                let jitter = Duration::from_micros(u64::from(burst % 7) * 150 + u64::from(7 - behind) * 40);
                let arrival = now - base + Duration::from_millis(20) + jitter;
                receiver.log.record(receiver.sequence.wrapping_sub(behind), arrival);
            }
        }
        if now >= next_report {
            next_report += Duration::from_millis(100);
            for receiver in &mut receivers {
                receiver.feedback.clear();
                while receiver.log.build(1, 2, &mut receiver.feedback) {}
            }
            let begin = clock();
            for receiver in &mut receivers {
                for packet in &mut Compound::new(&receiver.feedback) {
                    if let Packet::TransportFeedback(feedback) = packet {
                        receiver.estimator.handle_feedback(now, &feedback);
                    }
                }
            }
            taking += clock() - begin;
        }
    }
    let packets = f64::from(bursts) * 8.0 * RECEIVERS as f64;
    (sending.as_nanos() as f64 / packets, taking.as_nanos() as f64 / packets)
}
