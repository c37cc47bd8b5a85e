//! The estimator finds what a bottleneck carries, follows it down and up, and is not fooled. Virtual time, seeds.

mod bwe_support;

use std::time::Duration;

use bwe_support::{Link, Source, World};

const SEEDS: u64 = 12;
const S: Duration = Duration::from_secs(1);

fn adaptive(max_bps: f64) -> Source {
    Source::Adaptive { max_bps }
}

#[test]
fn it_finds_what_the_path_carries_and_stays_there() {
    for bps in [0.3e6, 1e6, 4e6, 20e6] {
        for seed in 0..SEEDS {
            let mut world = World::new(seed, Link::of(bps), adaptive(bps * 3.0));
            world.want(bps * 3.0);
            world.until(6 * S, &format!("85 % of {bps}, seed {seed}"), |w| {
                (0.85 * bps..).contains(&w.target())
            });
            world.run(4 * S);
            let (mut sum, mut steps, mut above) = (0.0, 0.0, 0);
            world.run_watched(20 * S, |w| {
                sum += w.target();
                steps += 1.0;
                above += u32::from(w.target() > 1.15 * bps);
            });
            let mean = sum / steps;
            assert!((0.8 * bps..1.05 * bps).contains(&mean), "{bps}, seed {seed}: {mean:.0}");
            assert!(f64::from(above) < 0.1 * steps, "{bps}, seed {seed}: above for {above} ms");
        }
    }
}

#[test]
fn a_wide_path_is_known_within_a_second() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, Link::of(50e6), Source::Layers(&[150e3, 500e3, 1.7e6, 4e6]));
        world.want(4.2e6);
        let took = world.until(2 * S, "everything that is wanted", |w| w.target() >= 4.2e6);
        assert!(took <= S, "seed {seed}: {took:?}");
    }
}

#[test]
fn a_drop_is_followed_within_two_seconds_and_the_way_back_within_ten() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, Link::of(4e6), adaptive(5e6));
        world.want(5e6);
        world.run(10 * S);
        world.link.bps = 600e3;
        world.run(2 * S);
        world.run_watched(10 * S, |w| {
            // Later on it tries what else there is.
            let most = if w.now - w.base < 14 * S { 650e3 } else { 700e3 };
            assert!(w.target() < most, "seed {seed}: {:.0} at {:?}", w.target(), w.now - w.base);
        });
        assert!(world.target() > 350e3, "seed {seed}: {:.0}", world.target());
        world.link.bps = 4e6;
        let took = world.until(12 * S, "back", |w| w.target() >= 3.4e6);
        assert!(took <= 10 * S, "seed {seed}: {took:?}");
    }
}

#[test]
fn layers_that_do_not_fill_the_path_fall_and_come_back_all_the_same() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, Link::of(4e6), Source::Layers(&[150e3, 500e3, 1.7e6]));
        world.want(1.8e6);
        world.run(10 * S);
        assert!(world.target() >= 1.8e6);
        world.link.bps = 600e3;
        world.until(2 * S, "down", |w| w.target() < 650e3);
        world.run(10 * S);
        // Up to half more than arrives is not denied until it is tried.
        assert!((350e3..900e3).contains(&world.target()), "seed {seed}: {:.0}", world.target());
        world.link.bps = 4e6;
        let took = world.until(12 * S, "back", |w| w.target() >= 1.8e6);
        assert!(took <= 10 * S, "seed {seed}: {took:?}");
    }
}

#[test]
fn what_a_narrowed_path_carries_is_known_as_soon_as_it_is_full() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, Link::of(4e6), Source::Layers(&[150e3, 500e3, 1.7e6]));
        world.want(1.8e6);
        world.run(10 * S);
        world.link.bps = 600e3;
        let took = world.until(S, "down", |w| w.target() < 600e3);
        // The queue is full after a fifth of a second, its first packet arrives and is told of after another one.
        assert!(took < Duration::from_millis(450), "seed {seed}: {took:?}");
        assert!(world.target() > 400e3, "seed {seed}: {:.0}", world.target());
        world.run_watched(2 * S, |w| {
            assert!(w.target() > 300e3, "once is enough, seed {seed}: {:.0}", w.target());
        });
    }
}

#[test]
fn a_probe_of_a_path_that_is_full_takes_nothing_away() {
    for seed in 0..SEEDS {
        let link = Link { jitter: Duration::from_millis(8), ..Link::of(600e3) };
        let mut world = World::new(seed, link, Source::Layers(&[210e3]));
        world.want(1.8e6);
        world.run(10 * S);
        let mut least = f64::MAX;
        world.run_watched(60 * S, |w| least = least.min(w.target()));
        assert!(least > 350e3, "seed {seed}: {least:.0}");
    }
}

#[test]
fn random_loss_and_jitter_do_not_collapse_it() {
    for loss in [0.02, 0.05] {
        for seed in 0..SEEDS {
            let link = Link { loss, jitter: Duration::from_millis(10), ..Link::of(4e6) };
            let mut world = World::new(seed, link, adaptive(5e6));
            world.want(5e6);
            world.run(10 * S);
            let (mut sum, mut steps) = (0.0, 0.0);
            world.run_watched(30 * S, |w| {
                sum += w.target();
                steps += 1.0;
            });
            let mean = sum / steps;
            assert!(mean > 2.8e6, "loss {loss}, seed {seed}: {mean:.0}");
        }
    }
}

#[test]
fn what_was_found_is_kept_while_little_is_sent() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, Link::of(8e6), adaptive(4e6));
        world.want(4e6);
        world.run(5 * S);
        let found = world.target();
        assert!(found >= 4e6);
        world.source = Source::Layers(&[]);
        world.want(0.0);
        let before = world.probe_bytes;
        world.run(30 * S);
        assert_eq!(world.probe_bytes, before, "nothing is wanted, so nothing is probed");
        assert!(world.target() > 0.6 * found, "seed {seed}: {:.0} of {found:.0}", world.target());
        world.source = adaptive(4e6);
        world.want(4e6);
        world.until(3 * S, "all of it again", |w| w.target() >= 4e6);
    }
}

#[test]
fn a_probe_costs_little_where_nothing_is_to_be_found() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, Link::of(600e3), adaptive(5e6));
        world.want(5e6);
        world.run(10 * S);
        let (probed, sent) = (world.probe_bytes, world.sent_bytes);
        world.queued_max = Duration::ZERO;
        world.run(60 * S);
        let share = (world.probe_bytes - probed) as f64 / (world.sent_bytes - sent) as f64;
        assert!(share > 0.0 && share < 0.03, "seed {seed}: {share}");
    }
}

#[test]
fn lost_feedback_and_long_ways_are_survived() {
    for seed in 0..SEEDS {
        let link = Link { feedback_loss: 0.2, delay: Duration::from_millis(250), ..Link::of(2e6) };
        let mut world = World::new(seed, link, adaptive(3e6));
        world.want(3e6);
        world.until(15 * S, "most of it", |w| w.target() >= 1.7e6);
        let (mut sum, mut steps) = (0.0, 0.0);
        world.run_watched(30 * S, |w| {
            sum += w.target();
            steps += 1.0;
        });
        let mean = sum / steps;
        assert!((1.2e6..2.2e6).contains(&mean), "seed {seed}: {mean:.0}");
    }
}

#[test]
fn a_path_from_which_nothing_is_heard_is_sent_less() {
    let mut world = World::new(1, Link::of(4e6), adaptive(4e6));
    world.want(4e6);
    world.run(10 * S);
    world.link.feedback_loss = 1.0;
    world.run(20 * S);
    assert!(world.target() < 0.2e6, "{:.0}", world.target());
    world.link.feedback_loss = 0.0;
    world.until(12 * S, "back", |w| w.target() >= 3.4e6);
}

#[test]
fn who_is_sent_nothing_after_losses_or_a_queue_is_asked_for_more_all_the_same() {
    for seed in 0..SEEDS {
        for queue in [false, true] {
            let mut world = World::new(seed, Link::of(4e6), Source::Fixed { bps: 1.5e6 });
            world.want(2e6);
            world.run(5 * S);
            if queue {
                world.link.bps = 300e3;
            } else {
                world.link.loss = 0.4;
            }
            world.run(S);
            // All that the unit sent does not fit any more.
            world.source = Source::Nothing;
            world.run(S);
            world.link = Link::of(4e6);
            world.until(10 * S, &format!("back, seed {seed}, queue {queue}"), |w| w.target() >= 2e6);
        }
    }
}
