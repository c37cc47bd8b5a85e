//! Transport-wide feedback: what arrived is what is said, whatever was lost, reordered, doubled or wrapped.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rtc::rtcp::{ArrivalLog, Compound, FEEDBACK_BYTES_MAX, Packet, PacketStatus, TICK, TransportFeedback};
use str0m::rtp::rtcp::Rtcp;

fn feedbacks(log: &mut ArrivalLog) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    loop {
        let mut out = Vec::new();
        if !log.build(1, 2, &mut out) {
            assert!(out.is_empty() && !log.is_pending());
            return packets;
        }
        assert!(out.len() <= FEEDBACK_BYTES_MAX, "{}", out.len());
        assert!(out.len().is_multiple_of(4));
        packets.push(out);
    }
}

fn parse(packet: &[u8]) -> TransportFeedback<'_> {
    let mut compound = Compound::new(packet);
    match (compound.next(), compound.next()) {
        (Some(Packet::TransportFeedback(feedback)), None) => feedback,
        other => panic!("{other:?} in {packet:02x?}"),
    }
}

/// Statuses with arrivals in ticks on one clock.
fn ticks(feedback: &TransportFeedback<'_>) -> Vec<(u16, Option<i64>)> {
    let reference = i64::from(feedback.reference_time) * 256;
    let tick = |us: i64| {
        assert_eq!(us % TICK.as_micros() as i64, 0);
        reference + us / TICK.as_micros() as i64
    };
    feedback.statuses().map(|s: PacketStatus| (s.sequence_number, s.arrival_us.map(tick))).collect()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn an_empty_log_says_nothing() {
    assert!(feedbacks(&mut ArrivalLog::new()).is_empty());
}

#[test]
fn a_steady_stream_takes_a_byte_a_packet() {
    let mut log = ArrivalLog::new();
    for number in 0..100 {
        log.record(number, ms(1_000 + u64::from(number)));
    }
    let packets = feedbacks(&mut log);
    assert_eq!(packets.len(), 1);
    // Header, fixed part, one run, deltas, padding.
    assert_eq!(packets[0].len(), 4 + 16 + 2 + 100 + 2);
    let feedback = parse(&packets[0]);
    assert_eq!((feedback.base_sequence_number, feedback.status_count, feedback.feedback_count), (0, 100, 0));
    let expected: Vec<_> = (0..100).map(|n| (n, Some(4 * (1_000 + i64::from(n))))).collect();
    assert_eq!(ticks(&feedback), expected);
}

#[test]
fn gaps_are_reported_and_also_those_between_two_feedbacks() {
    let mut log = ArrivalLog::new();
    log.record(10, ms(64));
    log.record(13, ms(70));
    let packets = feedbacks(&mut log);
    let received = |n: u16, at: i64| (n, Some(4 * at));
    assert_eq!(ticks(&parse(&packets[0])), [received(10, 64), (11, None), (12, None), received(13, 70)]);
    log.record(16, ms(80));
    let packets = feedbacks(&mut log);
    let feedback = parse(&packets[0]);
    assert_eq!(feedback.feedback_count, 1);
    assert_eq!(ticks(&feedback), [(14, None), (15, None), received(16, 80)]);
}

#[test]
fn a_packet_that_comes_after_its_turn_is_reported_with_those_after_it() {
    let mut log = ArrivalLog::new();
    log.record(1, ms(10));
    log.record(3, ms(12));
    feedbacks(&mut log);
    log.record(2, ms(14));
    let packets = feedbacks(&mut log);
    // Negative: it arrived after number 3, which is said again.
    assert_eq!(ticks(&parse(&packets[0])), [(2, Some(56)), (3, Some(48))]);
}

#[test]
fn numbers_wrap() {
    let mut log = ArrivalLog::new();
    for number in [65_534u16, 65_535, 1] {
        log.record(number, ms(10));
    }
    let packets = feedbacks(&mut log);
    let numbers: Vec<_> = ticks(&parse(&packets[0])).into_iter().map(|(n, at)| (n, at.is_some())).collect();
    assert_eq!(numbers, [(65_534, true), (65_535, true), (0, false), (1, true)]);
}

#[test]
fn a_duplicate_keeps_the_first_arrival() {
    let mut log = ArrivalLog::new();
    log.record(1, ms(10));
    log.record(1, ms(20));
    assert_eq!(ticks(&parse(&feedbacks(&mut log)[0])), [(1, Some(40))]);
    log.record(1, ms(30));
    assert!(feedbacks(&mut log).is_empty());
}

#[test]
fn a_long_pause_begins_a_new_packet() {
    let mut log = ArrivalLog::new();
    log.record(1, ms(10));
    log.record(2, ms(20_000));
    let packets = feedbacks(&mut log);
    assert_eq!(packets.len(), 2);
    assert_eq!(ticks(&parse(&packets[1])), [(2, Some(80_000))]);
}

#[test]
fn a_leap_of_numbers_forgets_what_is_too_far_behind() {
    let mut log = ArrivalLog::new();
    log.record(1, ms(10));
    log.record(30_000, ms(20));
    let all: Vec<_> = feedbacks(&mut log).iter().flat_map(|p| ticks(&parse(p))).collect();
    assert_eq!(all.last(), Some(&(30_000, Some(80))));
    assert!(all.len() <= 2_048 && all.iter().filter(|(_, at)| at.is_some()).count() == 1);
    for too_old in [30_000 - 2_048, 30_000 - 2_049, 2] {
        log.record(too_old, ms(30));
        assert!(!log.is_pending(), "{too_old} is too old");
    }
}

/// Every delta is large here. str0m must find what comes after them.
#[test]
fn large_deltas_in_a_row_are_read_by_str0m() {
    let mut log = ArrivalLog::new();
    for number in 0..40u16 {
        let pause = if number < 30 { 100 } else { 1 };
        log.record(number, ms(u64::from(number) * pause + if number < 30 { 0 } else { 3_000 }));
    }
    let origin = origin();
    for packet in feedbacks(&mut log) {
        assert_eq!(ticks(&parse(&packet)), read_by_str0m(&packet, origin));
    }
}

/// The clock of the wire wraps after 12.4 days; a session does not notice.
#[test]
fn the_clock_wraps() {
    let wrap = Duration::from_micros((1u64 << 32) * 250);
    let mut log = ArrivalLog::new();
    log.record(1, wrap - ms(1));
    log.record(2, wrap + ms(1));
    let packets = feedbacks(&mut log);
    let feedback = parse(&packets[0]);
    assert_eq!(feedback.reference_time, 0xff_ffff);
    let at: Vec<_> = feedback.statuses().map(|s| s.arrival_us).collect();
    assert_eq!(at, [Some(63_000), Some(65_000)]);
}

/// The last tick before the wrap has no number of its own beside "none": it is said as the next one.
#[test]
fn no_tick_is_taken_for_none() {
    let mut log = ArrivalLog::new();
    log.record(1, Duration::from_micros(u64::from(u32::MAX) * 250));
    let packets = feedbacks(&mut log);
    assert_eq!(ticks(&parse(&packets[0])), [(1, Some(0))]);
}

/// Two bytes for each delta and a chunk for each seven: about 460 fit a packet.
#[test]
fn what_does_not_fit_one_packet_goes_on_in_the_next() {
    let mut log = ArrivalLog::new();
    for number in 0..2_000u16 {
        log.record(number, ms(u64::from(number) * 65));
    }
    let packets = feedbacks(&mut log);
    assert_eq!(packets.len(), 5);
    let all: Vec<_> = packets.iter().flat_map(|packet| ticks(&parse(packet))).collect();
    assert_eq!(all, (0..2_000).map(|n| (n, Some(i64::from(n) * 260))).collect::<Vec<_>>());
}

/// A time from which the instants of str0m are counted.
#[expect(clippy::disallowed_methods, reason = "str0m has instants only; nothing here waits for one")]
fn origin() -> Instant {
    Instant::now()
}

/// What str0m makes of a feedback packet, in ticks after the origin.
fn read_by_str0m(packet: &[u8], origin: Instant) -> Vec<(u16, Option<i64>)> {
    let Ok(Rtcp::Twcc(twcc)) = Rtcp::try_from(packet) else { panic!("{packet:02x?}") };
    // The last packet's padding has been read as deltas, if there is any; it is never asked for.
    let near = u64::from(twcc.base_seq) + 65_536;
    twcc.into_iter(origin, near.into())
        .map(|(number, _, at)| {
            let ticks = at.map(|at| (at.duration_since(origin).as_micros() / TICK.as_micros()) as i64);
            (*number as u16, ticks)
        })
        .collect()
}

#[derive(Debug, Clone)]
struct Arrival {
    number_step: i64,
    time_step: Duration,
    build: bool,
}

prop_compose! {
    fn arrival()(
        number_step in prop_oneof![10 => Just(1i64), 3 => 2i64..20, 3 => -20i64..1, 1 => 20i64..1_500],
        time_step in prop_oneof![10 => 0u64..3_000, 2 => 3_000u64..200_000, 1 => 200_000u64..10_000_000],
        build in prop::bool::weighted(0.02),
    ) -> Arrival {
        Arrival { number_step, time_step: Duration::from_micros(time_step), build }
    }
}

proptest! {
    /// Everything that arrived within the window is said, with its tick; nothing is said that did not arrive; every
    /// packet is read the same by str0m.
    #[test]
    fn what_arrived_is_what_is_said(
        first: u16,
        start in 0u64..1_000_000_000,
        arrivals in prop::collection::vec(arrival(), 1..1_500),
    ) {
        let origin = origin();
        let mut log = ArrivalLog::new();
        let mut truth: BTreeMap<i64, i64> = BTreeMap::new();
        let mut said: BTreeMap<i64, i64> = BTreeMap::new();
        let mut number = i64::from(first) + 65_536;
        let mut highest = number;
        let mut now = Duration::from_micros(start);
        let last = arrivals.len() - 1;
        for (at, arrival) in arrivals.into_iter().enumerate() {
            number = if arrival.number_step > 0 { highest } else { number } + arrival.number_step;
            number = number.max(highest - 100);
            highest = highest.max(number);
            now += arrival.time_step;
            log.record(number as u16, now);
            truth.entry(number).or_insert((now.as_micros() / TICK.as_micros()) as i64);
            // Nothing waits for longer than the window.
            let waiting = truth.keys().find(|n| !said.contains_key(*n)).copied();
            if arrival.build || at == last || waiting.is_some_and(|oldest| highest - oldest > 400) {
                for packet in feedbacks(&mut log) {
                    let statuses = ticks(&parse(&packet));
                    prop_assert_eq!(&statuses, &read_by_str0m(&packet, origin));
                    for (wire, tick) in statuses {
                        let full = highest + i64::from(wire.wrapping_sub(highest as u16) as i16);
                        prop_assert_eq!(truth.get(&full).copied(), tick, "{}", full);
                        if let Some(tick) = tick {
                            said.insert(full, tick);
                        }
                    }
                }
            }
        }
        prop_assert_eq!(truth, said);
    }
}

/// Chunks and deltas that the log never writes: a reader must take them all.
#[test]
fn every_kind_of_chunk_is_read() {
    let mut body = vec![0x8f, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    body.extend_from_slice(&[0xff, 0xfe, 0, 26]); // base 65534, 26 statuses
    body.extend_from_slice(&[0, 0, 2, 9]); // reference 2, count 9
    body.extend_from_slice(&[0x20, 3]); // run of 3 small
    body.extend_from_slice(&[0b1010_0000, 0b0000_0001]); // 14 of one bit: small first and last
    body.extend_from_slice(&[0b1101_1000, 0b0000_0000]); // 7 of two bits: small, large, 5 lost
    body.extend_from_slice(&[0x40, 200]); // run of 200 large, 2 of which are meant
    body.extend_from_slice(&[1, 2, 3, 4, 5, 6]); // small deltas
    body.extend_from_slice(&[0xff, 0xff, 0, 10, 0x80, 0]); // large: -1, 10, -32768
    body.extend_from_slice(&[0; 2]); // padding
    body[3] = (body.len() / 4 - 1) as u8;
    let feedback = parse(&body);
    assert_eq!((feedback.reference_time, feedback.feedback_count), (2, 9));
    let arrived: Vec<_> =
        ticks(&feedback).into_iter().filter_map(|(n, at)| at.map(|at| (n, at - 512))).collect();
    assert_eq!(
        arrived,
        [
            (65_534, 1),
            (65_535, 3),
            (0, 6),
            (1, 10),
            (14, 15),
            (15, 21),
            (16, 20),
            (22, 30),
            (23, 30 - 32_768)
        ]
    );
    assert_eq!(feedback.statuses().count(), 26);
}

/// A chunk as anybody may write it: a run, 14 symbols of one bit, or 7 of two. Symbols are 0 to 2.
#[derive(Debug, Clone)]
enum Chunk {
    Run(u8, u16),
    OneBit(Vec<u8>),
    TwoBit(Vec<u8>),
}

impl Chunk {
    fn any() -> impl Strategy<Value = Chunk> {
        prop_oneof![
            (0u8..3, 1u16..20).prop_map(|(symbol, count)| Chunk::Run(symbol, count)),
            prop::collection::vec(0u8..2, 14).prop_map(Chunk::OneBit),
            prop::collection::vec(0u8..3, 7).prop_map(Chunk::TwoBit),
        ]
    }

    fn symbols(&self) -> Vec<u8> {
        match self {
            Chunk::Run(symbol, count) => vec![*symbol; (*count).into()],
            Chunk::OneBit(symbols) | Chunk::TwoBit(symbols) => symbols.clone(),
        }
    }

    fn word(&self) -> u16 {
        let join = |symbols: &[u8], width| symbols.iter().fold(0, |word, s| word << width | u16::from(*s));
        match self {
            Chunk::Run(symbol, count) => u16::from(*symbol) << 13 | count,
            Chunk::OneBit(symbols) => 0x8000 | join(symbols, 1),
            Chunk::TwoBit(symbols) => 0xc000 | join(symbols, 2),
        }
    }
}

proptest! {
    #[test]
    fn any_right_feedback_is_read_as_str0m_reads_it(
        base: u16,
        chunks in prop::collection::vec(Chunk::any(), 1..5),
        unmeant in 0usize..7,
        deltas in prop::collection::vec(any::<i16>(), 100),
    ) {
        const REFERENCE: u32 = 20_000;
        let mut symbols: Vec<u8> = chunks.iter().flat_map(Chunk::symbols).collect();
        // The last chunk may hold more than is meant, but something.
        let last = chunks.last().unwrap().symbols().len();
        symbols.truncate(symbols.len() - unmeant.min(last - 1));
        let mut packet = vec![0x8f, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
        packet.extend_from_slice(&base.to_be_bytes());
        packet.extend_from_slice(&(symbols.len() as u16).to_be_bytes());
        packet.extend_from_slice(&(REFERENCE << 8).to_be_bytes());
        chunks.iter().for_each(|chunk| packet.extend_from_slice(&chunk.word().to_be_bytes()));
        let mut expected = Vec::new();
        let mut at = i64::from(REFERENCE) * 256;
        for (step, (symbol, delta)) in symbols.iter().zip(deltas).enumerate() {
            let number = base.wrapping_add(step as u16);
            match symbol {
                1 => {
                    packet.push(delta as u8);
                    at += i64::from(delta as u8);
                }
                2 => {
                    packet.extend_from_slice(&delta.to_be_bytes());
                    at += i64::from(delta);
                }
                _ => {}
            }
            expected.push((number, (*symbol > 0).then_some(at)));
        }
        packet.resize(packet.len().next_multiple_of(4), 0);
        packet[3] = (packet.len() / 4 - 1) as u8;
        prop_assert_eq!(&ticks(&parse(&packet)), &expected);
        // str0m 0.25 wants deltas also for symbols that are not meant, and loses its place after a run of large ones.
        let large_run = chunks.iter().any(|chunk| matches!(chunk, Chunk::Run(2, _)));
        if unmeant == 0 && !large_run {
            prop_assert_eq!(&read_by_str0m(&packet, origin()), &expected);
        }
    }
}

#[test]
fn what_does_not_add_up_is_malformed() {
    let mut log = ArrivalLog::new();
    (0..9).for_each(|n| log.record(n, ms(u64::from(n) * 100)));
    let good = feedbacks(&mut log).remove(0);
    parse(&good);
    let malformed = |packet: &[u8]| {
        let mut compound = Compound::new(packet);
        compound.next().is_none() && compound.malformed()
    };
    let with = |at: usize, value: u8| {
        let mut packet = good.clone();
        packet[at] = value;
        packet
    };
    assert!(malformed(&with(15, 0)), "no status at all");
    assert!(malformed(&with(15, 200)), "more statuses than chunks");
    assert!(malformed(&with(20, 0x60)), "the reserved symbol");
    assert!(malformed(&with(3, good[3] - 1)[..good.len() - 4]), "deltas cut short");
}

#[test]
fn fuzz_transport_feedback() {
    bolero::check!().with_iterations(100_000).with_max_len(200).for_each(|bytes: &[u8]| {
        let mut packet = vec![0x8f, 205, 0, (2 + bytes.len().div_ceil(4)) as u8, 0, 0, 0, 1, 0, 0, 0, 2];
        packet.extend_from_slice(bytes);
        packet.resize(packet.len().next_multiple_of(4), 0);
        // Few statuses, so that some random packets are right.
        if let Some(high) = packet.get_mut(14) {
            *high = 0;
        }
        for packet in Compound::new(&packet) {
            let Packet::TransportFeedback(feedback) = packet else { panic!("{packet:?}") };
            assert_eq!(feedback.statuses().count(), usize::from(feedback.status_count));
        }
    });
}

/// Any arrivals in any order, also decreasing times: the log says something readable and comes to an end.
#[test]
fn fuzz_arrivals() {
    bolero::check!().with_iterations(5_000).with_type::<Vec<(u16, u32)>>().for_each(|arrivals| {
        let mut log = ArrivalLog::new();
        for (number, us) in arrivals {
            log.record(*number, Duration::from_micros((*us).into()));
        }
        for packet in feedbacks(&mut log) {
            parse(&packet);
        }
    });
}
