//! What stands behind reports and requests: statistics of a stream, and the list of what is missing.

use std::time::Duration;

use proptest::prelude::*;
use rtc::rtcp::{NACK_BATCH_MAX, NackGenerator, NtpTime, Reception};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

mod reception {
    use super::*;

    /// A stream of 50 packets a second at 8 kHz.
    fn receive(reception: &mut Reception, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            reception.received(number, (number * 160) as u32, ms(number * 20));
        }
    }

    #[test]
    fn nothing_lost_is_nothing_lost() {
        let mut reception = Reception::new(7, 8_000, 65_530, 65_530 * 160, ms(65_530 * 20));
        receive(&mut reception, 65_531..65_600);
        let block = reception.report(ms(0));
        assert_eq!((block.ssrc, block.fraction_lost, block.cumulative_lost, block.jitter), (7, 0, 0, 0));
        assert_eq!(block.highest_sequence_number, 65_599, "one cycle and 63");
        assert_eq!((block.last_sender_report, block.delay_since_last_sender_report), (0, 0));
    }

    #[test]
    fn the_fraction_is_since_the_last_report_and_the_sum_over_all_time() {
        let mut reception = Reception::new(7, 8_000, 0, 0, ms(0));
        receive(&mut reception, (1..100).filter(|n| n % 4 != 0));
        let block = reception.report(ms(0));
        assert_eq!((block.cumulative_lost, block.fraction_lost), (24, (24 * 256 / 100) as u8));
        receive(&mut reception, 100..200);
        let block = reception.report(ms(0));
        assert_eq!((block.cumulative_lost, block.fraction_lost), (24, 0));
        let block = reception.report(ms(0));
        assert_eq!((block.cumulative_lost, block.fraction_lost), (24, 0), "nothing came meanwhile");
    }

    #[test]
    fn duplicates_make_the_loss_negative_and_the_fraction_zero() {
        let mut reception = Reception::new(7, 8_000, 0, 0, ms(0));
        receive(&mut reception, [1, 1, 1, 2]);
        let block = reception.report(ms(0));
        assert_eq!((block.cumulative_lost, block.fraction_lost), (-2, 0));
    }

    #[test]
    fn a_packet_from_before_the_first_one_counts() {
        let mut reception = Reception::new(7, 8_000, 10, 1_600, ms(200));
        receive(&mut reception, [9, 11]);
        assert_eq!(reception.lost(), 0);
        assert_eq!(reception.highest(), 11);
    }

    #[test]
    fn everything_lost_but_one_is_256_of_256_at_most() {
        let mut reception = Reception::new(7, 8_000, 0, 0, ms(0));
        reception.report(ms(0));
        receive(&mut reception, [1_000_000]);
        assert_eq!(reception.report(ms(0)).fraction_lost, 255);
        receive(&mut reception, [1 << 40]);
        assert_eq!(reception.report(ms(0)).cumulative_lost, 0x7f_ffff, "24 bits");
    }

    /// Packets that are alternately on time and 10 ms late: jitter tends to 10 ms.
    #[test]
    fn jitter_is_the_mean_deviation() {
        let mut reception = Reception::new(7, 90_000, 0, 0, ms(0));
        for number in 1..500u64 {
            let late = if number % 2 == 0 { 0 } else { 10 };
            reception.received(number, (number * 1_800) as u32, ms(number * 20 + late));
        }
        let error = reception.jitter().abs_diff(ms(10));
        assert!(error < ms(1), "{:?}", reception.jitter());
        assert!(reception.report(ms(0)).jitter.abs_diff(900) < 90);
    }

    #[test]
    fn another_clock_is_not_jitter() {
        let mut reception = Reception::new(7, 90_000, 0, 0, ms(0));
        reception.received(1, 0x8000_0000, ms(20));
        reception.received(2, 0x8000_0000 + 1_800, ms(40));
        assert_eq!(reception.jitter(), ms(0));
    }

    #[test]
    fn the_delay_since_the_sender_report_is_counted() {
        let mut reception = Reception::new(7, 90_000, 0, 0, ms(0));
        reception.sender_report(NtpTime(0x1111_2222_3333_4444), ms(1_000));
        let block = reception.report(ms(1_500));
        assert_eq!((block.last_sender_report, block.delay_since_last_sender_report), (0x2222_3333, 32_768));
        assert_eq!(reception.report(ms(500)).delay_since_last_sender_report, 0, "the clock went back");
    }
}

mod nack {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(50);

    fn poll(generator: &mut NackGenerator, at: u64) -> Vec<u16> {
        generator.poll(ms(at), ROUND_TRIP).to_vec()
    }

    #[test]
    fn a_whole_stream_needs_nothing() {
        let mut generator = NackGenerator::new();
        (65_000..66_000).for_each(|n| generator.received(n, ms(n)));
        assert_eq!(generator.poll_timeout(), None);
        assert_eq!(poll(&mut generator, 100_000), [0; 0]);
    }

    #[test]
    fn a_gap_is_asked_for_after_a_moment_and_again_after_a_round_trip() {
        let mut generator = NackGenerator::new();
        generator.received(65_534, ms(0));
        generator.received(65_538, ms(0));
        assert_eq!(poll(&mut generator, 0), [0; 0], "it may be reordering");
        let due = generator.poll_timeout().unwrap();
        assert_eq!(due, ms(10));
        assert_eq!(poll(&mut generator, 10), [65_535, 0, 1]);
        assert_eq!(generator.poll_timeout(), Some(ms(60)));
        assert_eq!(poll(&mut generator, 59), [0; 0]);
        assert_eq!(poll(&mut generator, 60), [65_535, 0, 1]);
    }

    #[test]
    fn a_short_round_trip_does_not_make_a_storm() {
        let mut generator = NackGenerator::new();
        generator.received(1, ms(0));
        generator.received(3, ms(0));
        assert_eq!(generator.poll(ms(10), ms(1)).as_slice(), [2]);
        assert_eq!(generator.poll_timeout(), Some(ms(30)));
    }

    #[test]
    fn reordering_costs_no_request() {
        let mut generator = NackGenerator::new();
        for number in [1, 3, 2, 6, 5, 4] {
            generator.received(number, ms(number));
        }
        assert_eq!(generator.poll_timeout(), None);
        assert_eq!(poll(&mut generator, 1_000), [0; 0]);
    }

    #[test]
    fn what_came_back_is_not_asked_for_again() {
        let mut generator = NackGenerator::new();
        generator.received(1, ms(0));
        generator.received(5, ms(0));
        assert_eq!(poll(&mut generator, 10), [2, 3, 4]);
        generator.received(3, ms(20));
        assert_eq!(poll(&mut generator, 100), [2, 4]);
        generator.received(2, ms(110));
        generator.received(4, ms(110));
        assert_eq!((generator.poll_timeout(), generator.missing_count()), (None, 0));
    }

    #[test]
    fn after_ten_requests_it_is_given_up() {
        let mut generator = NackGenerator::new();
        generator.received(1, ms(0));
        generator.received(3, ms(0));
        let mut requests = 0;
        let mut polls = 0;
        while let Some(due) = generator.poll_timeout() {
            requests += generator.poll(due, ROUND_TRIP).len();
            polls += 1;
            assert!(polls < 20, "it must come to an end");
        }
        assert_eq!((requests, generator.missing_count()), (10, 0));
        assert!(!generator.take_key_frame_needed());
    }

    #[test]
    fn losing_too_much_wants_a_key_frame_instead() {
        for gaps in [vec![(1, 2_000)], vec![(1, 600), (601, 1_200)]] {
            let mut generator = NackGenerator::new();
            for (before, after) in gaps {
                generator.received(before, ms(0));
                generator.received(after, ms(0));
            }
            assert_eq!((generator.missing_count(), generator.poll_timeout()), (0, None));
            assert!(generator.take_key_frame_needed());
            assert!(!generator.take_key_frame_needed(), "said once");
        }
    }

    #[test]
    fn what_came_before_a_key_frame_is_not_needed() {
        let mut generator = NackGenerator::new();
        generator.received(1, ms(0));
        generator.received(4, ms(0));
        generator.received(7, ms(0));
        generator.key_frame(4);
        assert_eq!(poll(&mut generator, 10), [5, 6]);
        generator.key_frame(7);
        assert_eq!(generator.poll_timeout(), None);
    }

    #[test]
    fn a_large_gap_is_asked_for_in_batches() {
        let mut generator = NackGenerator::new();
        generator.received(0, ms(0));
        generator.received(900, ms(0));
        let mut asked = Vec::new();
        for _ in 0..4 {
            let batch = poll(&mut generator, 10);
            assert!(batch.len() <= NACK_BATCH_MAX);
            asked.extend(batch);
        }
        assert_eq!(asked, (1..900).collect::<Vec<u16>>());
        assert_eq!(poll(&mut generator, 10), [0; 0]);
    }

    #[test]
    fn what_is_far_behind_is_given_up() {
        let mut generator = NackGenerator::new();
        generator.received(0, ms(0));
        generator.received(2, ms(0));
        (3..11_000).for_each(|n| generator.received(n, ms(0)));
        generator.received(11_001, ms(0));
        assert_eq!(poll(&mut generator, 10), [11_000]);
    }

    proptest! {
        /// What was lost and comes back at the tenth request at the latest is there in the end, and nothing is asked
        /// for that was not missing.
        #[test]
        fn a_lossy_stream_is_whole_in_the_end(
            first in 0u64..200_000,
            lost in prop::collection::vec(prop::bool::weighted(0.2), 3_000),
            requests_needed in prop::collection::vec(1u8..=10, 500),
        ) {
            let mut generator = NackGenerator::new();
            let mut requests_left_by_number = std::collections::BTreeMap::new();
            let mut requests_needed = requests_needed.iter().cycle();
            generator.received(first, ms(0));
            let mut now = 0;
            for (step, lost) in lost.iter().chain([&false; 300]).enumerate() {
                let number = first + 1 + step as u64;
                now += 2;
                if *lost {
                    requests_left_by_number.insert(number, *requests_needed.next().unwrap());
                } else {
                    generator.received(number, ms(now));
                }
                for asked in poll(&mut generator, now) {
                    let full = number - u64::from((number as u16).wrapping_sub(asked));
                    let left = requests_left_by_number.get_mut(&full);
                    prop_assert!(left.is_some(), "{} was not missing", full);
                    let left = left.unwrap();
                    *left -= 1;
                    if *left == 0 {
                        requests_left_by_number.remove(&full);
                        generator.received(full, ms(now));
                    }
                }
            }
            prop_assert!(requests_left_by_number.is_empty(), "{:?}", requests_left_by_number);
            prop_assert_eq!(generator.missing_count(), 0);
        }
    }

    #[test]
    fn fuzz_nack_generator() {
        bolero::check!().with_iterations(5_000).with_type::<Vec<(u32, u16)>>().for_each(|steps| {
            let mut generator = NackGenerator::new();
            let mut number = 1u64 << 20;
            let mut now = Duration::ZERO;
            for (step, wait) in steps {
                // Mostly small steps, both ways.
                number = number.wrapping_add_signed(i64::from(*step as i32 >> (step & 31)));
                now += Duration::from_micros((*wait).into());
                generator.received(number, now);
                assert!(generator.missing_count() <= 1_000);
                let due = generator.poll_timeout();
                assert_eq!(due.is_some(), generator.missing_count() > 0);
                if !generator.poll(now, ROUND_TRIP).is_empty() {
                    assert!(due.is_some_and(|due| due <= now));
                }
            }
        });
    }
}
