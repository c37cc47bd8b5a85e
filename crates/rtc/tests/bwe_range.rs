//! The estimator from the poorest path to the widest, with losses, long ways and uneven sources. Virtual time, seeds.

mod bwe_support;

use std::time::Duration;

use bwe_support::{Link, Source, World};

const S: Duration = Duration::from_secs(1);

/// The mean target over some seconds.
fn mean(world: &mut World, seconds: u32) -> f64 {
    let (mut sum, mut steps) = (0.0, 0.0);
    world.run_watched(seconds * S, |w| {
        sum += w.target();
        steps += 1.0;
    });
    sum / steps
}

#[test]
fn every_path_of_the_range_is_used_and_not_overrun() {
    for bps in [100e3, 500e3, 5e6, 100e6] {
        for loss in [0.0, 0.1, 0.2] {
            for delay_ms in [1, 50, 250] {
                let link = Link { loss, delay: Duration::from_millis(delay_ms), ..Link::of(bps) };
                let mut world = World::new(7, link, Source::Adaptive { max_bps: 2.0 * bps });
                world.want(2.0 * bps);
                world.run(20 * S);
                let share = mean(&mut world, 20) / bps;
                println!("{bps:>9} bit/s, {loss:.1} lost, {delay_ms:>3} ms: {share:.2}");
                assert!(
                    (if loss > 0.1 { 0.25 } else { 0.4 }..1.25).contains(&share),
                    "{bps} bit/s, {loss} lost, {delay_ms} ms: {share}"
                );
            }
        }
    }
}

#[test]
fn key_frames_of_a_stream_that_fits_do_not_take_its_rate_away() {
    for seed in 0..8 {
        let mut world = World::new(seed, Link::of(4e6), Source::Layers(&[150e3, 500e3, 1.7e6]));
        world.key_frame_every = Some(90);
        world.want(1.8e6);
        world.run(5 * S);
        let mut below = 0;
        world.run_watched(60 * S, |w| below += u32::from(w.target() < 1.75e6));
        println!("seed {seed}: below for {below} of 60,000 ms");
        assert!(below < 9_000, "seed {seed}: {below} of 60,000 ms");
    }
}

#[test]
fn a_stream_that_cannot_be_made_smaller_is_soon_known_to_pass() {
    for seed in 0..8 {
        let mut world = World::new(seed, Link::of(1e9), Source::Fixed { bps: 22e6 });
        world.want(23e6);
        let took = world.until(3 * S, "all of it", |w| w.target() >= 23e6);
        assert!(took < 2 * S, "seed {seed}: {took:?}");
    }
}

#[test]
fn wild_arrival_times_cost_no_more_than_a_part() {
    for seed in 0..8 {
        let link = Link { jitter: Duration::from_millis(40), ..Link::of(8e6) };
        let mut world = World::new(seed, link, Source::Layers(&[150e3, 500e3, 1.7e6]));
        world.want(1.8e6);
        world.run(10 * S);
        let mean = mean(&mut world, 30);
        assert!(mean > 1.5e6, "seed {seed}: {mean:.0}");
    }
}

#[test]
fn a_drop_below_what_little_is_sent_is_followed() {
    for seed in 0..8 {
        let mut world = World::new(seed, Link::of(8e6), Source::Layers(&[150e3, 500e3, 1.7e6]));
        world.want(8e6);
        world.run(8 * S);
        assert!(world.target() > 4e6, "seed {seed}: {:.0}", world.target());
        world.link.bps = 1e6;
        let took = world.until(5 * S, "down", |w| w.target() < 1.1e6);
        assert!(took < 2 * S, "seed {seed}: {took:?}");
    }
}
