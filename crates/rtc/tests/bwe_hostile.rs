//! Feedback of any shape does no harm, and what is known without transport-wide feedback is used.

mod bwe_support;

use std::time::Duration;

use bwe_support::{Link, Random, Source, World, start};
use model::Bitrate;
use proptest::prelude::*;
use rtc::bwe::{Estimator, MIN};
use rtc::rtcp::{Compound, Packet};

/// A feedback packet with these words; its chunks may say anything.
fn feedback(base: u16, count: u16, reference: u32, content: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x8f, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    packet.extend(base.to_be_bytes());
    packet.extend(count.to_be_bytes());
    packet.extend((reference << 8).to_be_bytes());
    packet.extend(content);
    packet.resize(packet.len().next_multiple_of(4), 0);
    let words = (packet.len() / 4 - 1) as u16;
    packet[2..4].copy_from_slice(&words.to_be_bytes());
    packet
}

fn take(estimator: &mut Estimator, now: std::time::Instant, bytes: &[u8]) {
    for packet in &mut Compound::new(bytes) {
        if let Packet::TransportFeedback(feedback) = packet {
            estimator.handle_feedback(now, &feedback);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_feedback_takes_it_out_of_its_bounds(
        steps in prop::collection::vec(
            (0u64..3_000, any::<u16>(), 1u16..2_000, any::<u32>(), prop::collection::vec(any::<u8>(), 0..80)),
            1..60,
        ),
    ) {
        let mut now = start();
        let mut estimator = Estimator::new(now);
        estimator.set_numbered(true);
        estimator.set_wanted(now, Bitrate::from_kbps(5_000));
        let mut sequence = 0u16;
        for (wait_ms, base, count, reference, mut content) in steps {
            now += Duration::from_millis(wait_ms);
            for _ in 0..20 {
                sequence = sequence.wrapping_add(1);
                estimator.handle_sent(now, Some(sequence), 1_000);
            }
            let _ = estimator.poll_probe(now);
            // Half of them about what was sent, all received.
            let base = if base % 2 == 0 { sequence.wrapping_sub(19) } else { base };
            if base % 4 == 0 {
                content = [&[0x20, 20][..], &content, &[1; 20]].concat();
            }
            let bytes = feedback(base, count.min(if base % 4 == 0 { 20 } else { 2_000 }), reference & 0xff_ffff, &content);
            take(&mut estimator, now, &bytes);
            take(&mut estimator, now, &bytes);
            estimator.handle_timeout(now);
            let bandwidth = estimator.bandwidth();
            if let Some(target) = bandwidth.target {
                prop_assert!(target >= MIN && target.as_bps() < 1_000_000_000_000, "{target}");
            }
            prop_assert!((0.0..=1.0).contains(&bandwidth.loss));
        }
    }
}

#[test]
fn feedback_twice_and_in_another_order_changes_little() {
    for seed in 0..6 {
        let mut world = World::new(seed, Link::of(2e6), Source::Adaptive { max_bps: 3e6 });
        world.disturb = Some(Random::new(seed));
        world.want(3e6);
        world.run(Duration::from_secs(15));
        let (mut sum, mut steps) = (0.0, 0.0);
        world.run_watched(Duration::from_secs(20), |w| {
            sum += w.target();
            steps += 1.0;
        });
        let mean = sum / steps;
        assert!((1.2e6..2.1e6).contains(&mean), "seed {seed}: {mean:.0}");
    }
}

#[test]
fn a_receivers_own_estimate_counts_where_there_is_nothing_better() {
    let now = start();
    let mut estimator = Estimator::new(now);
    assert_eq!(estimator.bandwidth().target, None);
    estimator.handle_remb(Bitrate::from_kbps(800));
    assert_eq!(estimator.bandwidth().target, Some(Bitrate::from_kbps(800)));
    for second in 1..5 {
        estimator.handle_report(now + Duration::from_secs(second), 0.25, Some(Duration::from_millis(80)));
    }
    let limited = estimator.bandwidth();
    assert!(limited.target < Some(Bitrate::from_kbps(600)), "{limited:?}");
    assert!(limited.loss > 0.15 && limited.round_trip == Some(Duration::from_millis(80)));

    let mut numbered = Estimator::new(now);
    numbered.set_numbered(true);
    numbered.handle_remb(Bitrate::from_kbps(100));
    assert_eq!(numbered.bandwidth().target, None, "it agreed on something better");
}

#[test]
fn a_receiver_that_agreed_to_tell_and_does_not_is_not_limited_for_ever() {
    let mut now = start();
    let mut estimator = Estimator::new(now);
    estimator.set_numbered(true);
    for sequence in 0..1_000 {
        now += Duration::from_millis(10);
        estimator.handle_sent(now, Some(sequence), 1_000);
        if sequence % 100 == 0 {
            estimator.handle_report(now, 0.0, None);
            estimator.handle_timeout(now);
        }
    }
    assert_eq!(estimator.bandwidth().target, None);
    assert!(!estimator.take_change());
}

#[test]
fn a_receiver_that_says_nothing_at_all_is_sent_less_until_it_does() {
    let mut now = start();
    let mut estimator = Estimator::new(now);
    estimator.set_numbered(true);
    for sequence in 0..1_000 {
        now += Duration::from_millis(10);
        estimator.handle_sent(now, Some(sequence), 1_000);
        if sequence % 100 == 0 {
            estimator.handle_timeout(now);
        }
        if sequence < 150 {
            assert_eq!(estimator.bandwidth().target, None, "it may be far away");
        }
    }
    let silent = estimator.bandwidth();
    assert!(silent.congested && silent.target <= Some(Bitrate::from_kbps(50)), "{silent:?}");
    assert!(estimator.take_change());
    estimator.handle_report(now, 0.0, None);
    estimator.handle_timeout(now);
    assert_eq!(estimator.bandwidth().target, None, "it is there, and does not tell what was agreed on");
}

#[test]
fn a_change_is_told_once_and_a_small_one_not_at_all() {
    let mut world = World::new(3, Link::of(50e6), Source::Adaptive { max_bps: 1e6 });
    assert!(!world.estimator.take_change(), "nothing is known");
    world.run(Duration::from_secs(3));
    assert!(world.estimator.take_change(), "the first look is over");
    assert!(!world.estimator.take_change());
    world.want(4e6);
    world.run(Duration::from_secs(3));
    assert!(world.estimator.take_change());
    assert!(!world.estimator.take_change());
}

#[test]
fn another_path_begins_anew() {
    let mut world = World::new(5, Link::of(50e6), Source::Adaptive { max_bps: 4e6 });
    world.want(4e6);
    world.run(Duration::from_secs(3));
    assert!(world.target() >= 4e6);
    world.estimator.restart(world.now);
    assert_eq!(world.estimator.bandwidth().target, None);
    world.until(Duration::from_secs(2), "all of it again", |w| w.target() >= 4e6);
}
