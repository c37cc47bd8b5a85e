//! Random lives of a room, over many seeds, against units that keep what they are told: what must hold whatever happens.

#[path = "../common/mod.rs"]
mod common;

mod fleet;
mod story;

use std::panic::{AssertUnwindSafe, catch_unwind};

use story::Story;

const SEEDS: u64 = 400;

#[test]
fn whatever_happens_on_one_unit() {
    for_each_seed(|seed| drop(Story::new(seed, 1).with_losses().run()));
}

#[test]
fn whatever_happens_on_three_units() {
    for_each_seed(|seed| drop(Story::new(seed, 3).with_losses().run()));
}

#[test]
fn nobody_can_tell_on_how_many_units_a_room_is() {
    for_each_seed(|seed| {
        let [one, three] = [1, 3].map(|units| Story::new(seed, units).run());
        assert_eq!(one.keys().collect::<Vec<_>>(), three.keys().collect::<Vec<_>>());
        for (socket, messages) in &one {
            same(messages, &three[socket], socket);
        }
    });
}

/// Names the first difference, as the whole is too long to read.
fn same(one: &[String], three: &[String], socket: &story::SocketKey) {
    for (place, (a, b)) in one.iter().zip(three).enumerate() {
        assert_eq!(a, b, "message {place} on {socket:?}");
    }
    assert_eq!(one.len(), three.len(), "messages on {socket:?}");
}

fn for_each_seed(run: impl Fn(u64)) {
    for seed in 0..SEEDS {
        let result = catch_unwind(AssertUnwindSafe(|| run(seed)));
        assert!(result.is_ok(), "seed {seed}");
    }
}
