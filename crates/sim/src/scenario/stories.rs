//! Stories of small meetings: a path that changes, loss, people who come and go, rooms beside each other.

use std::time::Duration;

use super::{GOOD, Person, Scenario, ms, seconds};
use crate::network::{Delay, Duplicate, Link, Loss, Reorder, Script};
use crate::oracle::Expect;

const BEGINNING: Duration = Duration::ZERO;

/// From the widest encoding to the narrowest.
const HIGH: &[u16] = &[1280];
/// What fits into 600 kbit/s with sound and headers: the middle one hardly, the low one surely.
const FITS_600_KBPS: &[u16] = &[320, 640];
const LOW: &[u16] = &[320];

pub(super) fn step_down_and_up(scalable: bool) -> Scenario {
    let line = |kbps| GOOD.limited(kbps, 200);
    let like = |person: Person| if scalable { person.scalable() } else { person };
    // A lower layer goes on without a key frame.
    let longest = if scalable { ms(400) } else { ms(1_500) };
    let (falls, rises) = (seconds(12), seconds(24));
    let viewer = "viewer";
    Scenario {
        people: vec![
            like(Person::sender("sender")),
            like(Person::viewer(viewer))
                .down(Script::from(line(4_000)).then(falls, line(600)).then(rises, line(4_000))),
        ],
        expects: vec![
            Expect::FirstFrame { viewer, within: seconds(2) },
            Expect::Widths { viewer, from: seconds(11), to: falls, widths: HIGH },
            Expect::Widths { viewer, from: falls + seconds(2), to: rises, widths: FITS_600_KBPS },
            Expect::Widths { viewer, from: rises + seconds(12), to: seconds(40), widths: HIGH },
            Expect::Freeze { viewer, from: seconds(3), to: seconds(40), longest },
        ],
        ..Scenario::new(
            if scalable { "step-scalable" } else { "step" },
            if scalable {
                "the same with one scalable encoding"
            } else {
                "RTT 50 ms, 200 ms drop-tail queue: 4 Mbit/s, 600 kbit/s from 12 s on, 4 Mbit/s from 24 s on"
            },
            seconds(40),
        )
    }
}

pub(super) fn three_receivers() -> Scenario {
    let viewer = |name, kbps| Person::viewer(name).down(GOOD.limited(kbps, 200));
    Scenario {
        people: vec![
            Person::sender("sender"),
            viewer("narrow", 300),
            viewer("middle", 1_000),
            viewer("wide", 4_000),
        ],
        expects: vec![
            Expect::Widths { viewer: "narrow", from: seconds(13), to: seconds(25), widths: LOW },
            Expect::Widths { viewer: "middle", from: seconds(13), to: seconds(25), widths: &[640] },
            Expect::Widths { viewer: "wide", from: seconds(13), to: seconds(25), widths: HIGH },
            Expect::Freeze { viewer: "narrow", from: seconds(13), to: seconds(25), longest: ms(1_500) },
            Expect::Freeze { viewer: "middle", from: seconds(13), to: seconds(25), longest: ms(1_500) },
            Expect::Freeze { viewer: "wide", from: seconds(3), to: seconds(25), longest: ms(500) },
        ],
        ..Scenario::new(
            "three-receivers",
            "three receivers with 0.3, 1 and 4 Mbit/s in one room: each gets what fits, none affects another",
            seconds(25),
        )
    }
}

pub(super) fn loss_is_local() -> Scenario {
    // Once there is a picture: until then a browser asks for a key frame after 200 ms, which may be before the last packet
    // of the first one has come again.
    let begins = seconds(3);
    Scenario {
        people: vec![
            Person::sender("sender"),
            Person::viewer("lossy").down(Script::from(GOOD).then(begins, GOOD.lossy(Loss::even(0.05)))),
            Person::viewer("other"),
        ],
        expects: vec![
            Expect::FirstFrame { viewer: "lossy", within: seconds(2) },
            Expect::Freeze { viewer: "lossy", from: seconds(3), to: seconds(20), longest: ms(700) },
            Expect::Sound { viewer: "lossy", from: BEGINNING, share: 0.98, longest_gap: ms(120) },
            Expect::Freeze { viewer: "other", from: seconds(3), to: seconds(20), longest: ms(150) },
            Expect::Sound { viewer: "other", from: BEGINNING, share: 1.0, longest_gap: ms(0) },
            Expect::Undisturbed { sender: "sender" },
        ],
        ..Scenario::new(
            "loss-is-local",
            "5 % loss towards one receiver is repaired for that one: the sender is asked for nothing more",
            seconds(20),
        )
    }
}

pub(super) fn join_in_progress() -> Scenario {
    let bad = GOOD.lossy(Loss::even(0.02));
    let mut expects: Vec<Expect> = ["anna", "ben", "late"]
        .into_iter()
        .map(|viewer| Expect::FirstFrame { viewer, within: ms(1_500) })
        .collect();
    expects.extend([
        Expect::Freeze { viewer: "anna", from: seconds(2), to: seconds(20), longest: ms(500) },
        Expect::Freeze { viewer: "late", from: seconds(8), to: seconds(20), longest: ms(700) },
        Expect::Sound { viewer: "late", from: BEGINNING, share: 0.99, longest_gap: ms(100) },
    ]);
    Scenario {
        people: vec![
            Person::member("anna"),
            Person::member("ben").leaves(seconds(14)),
            Person::member("late").joins(seconds(6)).down(bad).up(bad),
        ],
        expects,
        ..Scenario::new(
            "join-in-progress",
            "somebody joins while two talk, over a line with loss; one of the two leaves",
            seconds(20),
        )
    }
}

pub(super) fn two_rooms() -> Scenario {
    let people: Vec<Person> = ["anna", "ben", "carla", "dora"]
        .into_iter()
        .zip([1, 2, 1, 2])
        .map(|(name, room)| Person::member(name).room(room))
        .collect();
    let expects = people
        .iter()
        .flat_map(|p| {
            [
                Expect::FirstFrame { viewer: p.name, within: ms(1_500) },
                Expect::Freeze { viewer: p.name, from: seconds(2), to: seconds(12), longest: ms(200) },
                Expect::Sound { viewer: p.name, from: BEGINNING, share: 1.0, longest_gap: ms(0) },
            ]
        })
        .collect();
    Scenario {
        people,
        expects,
        ..Scenario::new(
            "two-rooms",
            "two rooms: everybody sees their own room and nothing of the other",
            seconds(12),
        )
    }
}

pub(super) fn narrow_and_lossy() -> Scenario {
    let line = Link::good(150).lossy(Loss::even(0.1)).limited(100, 300);
    let viewer = "viewer";
    // Nothing is known of a path until a round trip has passed, its queue on top: here two thirds of a second. Until then
    // it is taken for an ordinary one, or everybody on an ordinary one would begin with a small picture, and wait for it
    // where nobody looks at it yet. So there is a gap in the first words here, of a second at most.
    Scenario {
        people: vec![Person::sender("sender"), Person::viewer(viewer).down(line)],
        expects: vec![
            Expect::Sound { viewer, from: BEGINNING, share: 0.9, longest_gap: ms(1_000) },
            Expect::Sound { viewer, from: seconds(4), share: 0.95, longest_gap: ms(300) },
        ],
        ..Scenario::new(
            "narrow-and-lossy",
            "100 kbit/s, 10 % loss, 300 ms: speech stays intelligible, video falls to what fits",
            seconds(30),
        )
    }
}

pub(super) fn storm() -> Scenario {
    let disorder = Link {
        delay: Delay { latency: ms(25), jitter: ms(20) },
        reorder: Reorder { share: 0.1, by: ms(40) },
        duplicate: Duplicate { share: 0.2, after: ms(30) },
        ..GOOD
    };
    Scenario {
        people: vec![
            Person::member("anna").up(disorder).down(disorder),
            Person::member("ben").up(disorder).down(disorder),
            Person::viewer("calm"),
        ],
        expects: ["anna", "ben", "calm"]
            .into_iter()
            .flat_map(|viewer| {
                [
                    Expect::FirstFrame { viewer, within: seconds(2) },
                    Expect::Freeze { viewer, from: seconds(3), to: seconds(15), longest: ms(400) },
                    Expect::Sound { viewer, from: BEGINNING, share: 0.99, longest_gap: ms(60) },
                ]
            })
            .collect(),
        ..Scenario::new(
            "storm",
            "both ways of two people reorder and double what they carry, and lose none of it",
            seconds(15),
        )
    }
}

/// The room is wrong, and the units know better: media never leaves its room.
pub(super) fn astray() -> Scenario {
    Scenario {
        people: two_rooms().people,
        astray: true,
        ..Scenario::new("astray", "rooms that bind what is of another one: nobody is sent it", seconds(6))
    }
}
