//! What single steps of the packet path cost, on one core, with many sessions in turn as a unit has them.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use load::process;
use rtc::rtp::{ExtensionIds, Header, HeaderWriter, OutgoingExtensions};
use rtc::srtp::{Inbound, Outbound, Profile};
use serde::Serialize;

use crate::json;

/// The options of `althing-bench micro`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Measurements of each step
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Write the results as JSON, one object a line
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Sessions in turn: their keys do not all lie in the nearest cache.
const SESSIONS: usize = 200;
const PAYLOAD_BYTES: usize = 1_100;
/// CPU time of a measurement: the scheduler counts it in ticks of up to 10 ms.
const ROUND_CPU: Duration = Duration::from_millis(400);
/// Packets between two looks at it.
const LOOK_PACKETS: usize = 20_000;
/// Bytes that one session writes before the next; a packet with its header and tag.
const SLOT_BYTES: usize = 1_200;

/// One step.
#[derive(Debug, Serialize)]
struct Step {
    /// Stable name.
    name: &'static str,
    ns_median: f64,
    ns_min: f64,
    ns_max: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = vec![
        measure("header_parse", args, header_parse())?,
        measure("header_write", args, header_write())?,
        measure("payload_copy", args, payload_copy())?,
    ];
    for (protect, both, profile) in [
        ("protect_aes256_gcm", "protect_open_aes256_gcm", Profile::AeadAes256Gcm),
        ("protect_aes128_gcm", "protect_open_aes128_gcm", Profile::AeadAes128Gcm),
        ("protect_aes_cm_sha1", "protect_open_aes_cm_sha1", Profile::AesCm128HmacSha1_80),
    ] {
        steps.push(measure(protect, args, protecting(profile)?)?);
        steps.push(measure(both, args, protecting_and_opening(profile)?)?);
    }
    println!("  {:<26}{:>8}{:>14}", "ns a packet", "median", "min–max");
    for step in &steps {
        let spread = format!("{:.0}–{:.0}", step.ns_min, step.ns_max);
        println!("  {:<26}{:>8.1}{spread:>14}", step.name, step.ns_median);
    }
    json::append(args.json.as_deref(), &steps)
}

/// Runs a step that often; it is given the number of the packet.
fn measure(name: &'static str, args: &Args, mut step: impl FnMut(u64)) -> Result<Step> {
    let mut number = 0;
    let mut times = Vec::new();
    for _ in 0..args.rounds.max(1) {
        let (before, first) = (process::own_thread_cpu()?, number);
        let cpu = loop {
            for _ in 0..LOOK_PACKETS {
                step(number);
                number += 1;
            }
            let cpu = process::own_thread_cpu()?.saturating_sub(before);
            if cpu >= ROUND_CPU {
                break cpu;
            }
        };
        times.push(cpu.as_nanos() as f64 / (number - first) as f64);
    }
    times.sort_by(f64::total_cmp);
    let at = |index: usize| times.get(index).copied().unwrap_or(f64::NAN);
    Ok(Step { name, ns_median: at(times.len() / 2), ns_min: at(0), ns_max: at(times.len() - 1) })
}

const IDS: ExtensionIds = ExtensionIds {
    mid: 1,
    rid: 2,
    repaired_rid: 0,
    audio_level: 0,
    abs_send_time: 0,
    transport_wide_cc: 3,
    abs_capture_time: 0,
    playout_delay: 0,
    dependency_descriptor: 0,
};

fn header(number: u64, arena: &mut Vec<u8>) -> usize {
    let extensions =
        OutgoingExtensions { transport_wide_cc: Some(number as u16), ..OutgoingExtensions::default() };
    let writer = HeaderWriter {
        payload_type: 96,
        sequence_number: number as u16,
        timestamp: number as u32,
        ssrc: 1,
        csrcs: &[2],
        extensions,
        ..HeaderWriter::default()
    };
    writer.write(arena, &IDS)
}

fn header_parse() -> impl FnMut(u64) {
    let mut packet = Vec::new();
    header(7, &mut packet);
    packet.extend_from_slice(&[0; PAYLOAD_BYTES]);
    move |_| {
        let packet = black_box(&packet);
        if let Ok(header) = Header::parse(packet) {
            black_box(header.received_extensions(packet, &IDS));
        }
    }
}

fn header_write() -> impl FnMut(u64) {
    let mut arena = Vec::with_capacity(SLOT_BYTES);
    move |number| {
        arena.clear();
        header(black_box(number), &mut arena);
        black_box(&arena);
    }
}

/// Into an arena as large as a pass of all sessions fills it.
fn payload_copy() -> impl FnMut(u64) {
    let payload = vec![7; PAYLOAD_BYTES];
    let mut arena = Vec::with_capacity(SESSIONS * SLOT_BYTES);
    move |number| {
        if number.is_multiple_of(SESSIONS as u64) {
            arena.clear();
        }
        arena.extend_from_slice(black_box(&payload));
        black_box(&arena);
    }
}

fn sessions<T>(profile: Profile, make: impl Fn(&[u8], &[u8]) -> Result<T>) -> Result<Vec<T>> {
    let session = |index| make(&vec![index as u8; profile.key_len()], &vec![index as u8; profile.salt_len()]);
    (0..SESSIONS).map(session).collect()
}

/// Copies and encrypts.
fn protecting(profile: Profile) -> Result<impl FnMut(u64)> {
    let keys = sessions(profile, |key, salt| Ok(Outbound::new(profile, key, salt)?))?;
    let payload = vec![7; PAYLOAD_BYTES];
    let mut arena = Vec::with_capacity(SESSIONS * SLOT_BYTES);
    Ok(move |number| {
        let session = number as usize % SESSIONS;
        if session == 0 {
            arena.clear();
        }
        let start = arena.len();
        let header_len = header(number, &mut arena);
        arena.extend_from_slice(&payload);
        if let Some(keys) = keys.get(session) {
            keys.protect_rtp(&mut arena, start, header_len, number);
        }
        black_box(&arena);
    })
}

/// Encrypts and decrypts: a packet opens once, a second time it would be a replay.
fn protecting_and_opening(profile: Profile) -> Result<impl FnMut(u64)> {
    let mut keys = sessions(profile, |key, salt| Ok(Inbound::new(profile, key, salt)?))?;
    let outbound = sessions(profile, |key, salt| Ok(Outbound::new(profile, key, salt)?))?;
    let mut packet = Vec::with_capacity(SLOT_BYTES);
    Ok(move |number| {
        let session = number as usize % SESSIONS;
        packet.clear();
        let header_len = header(number, &mut packet);
        packet.extend_from_slice(&[7; PAYLOAD_BYTES]);
        if let (Some(inbound), Some(outbound)) = (keys.get_mut(session), outbound.get(session)) {
            outbound.protect_rtp(&mut packet, 0, header_len, number);
            if let Ok(header) = Header::parse(&packet) {
                let _ = black_box(inbound.unprotect_rtp(&mut packet, &header));
            }
        }
    })
}
