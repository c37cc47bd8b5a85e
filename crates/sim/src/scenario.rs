//! Scenarios: who takes part, over which network, and what must be noticed.

use std::time::Duration;

use crate::network::{Delay, Duplicate, Link, Loss, Reorder, Script};
use crate::oracle::Expect;

/// A story with its expectations.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// By which it is asked for.
    pub name: &'static str,
    /// What it is about, in one line.
    pub about: &'static str,
    /// How long it lasts.
    pub length: Duration,
    /// Who takes part, in this order.
    pub people: Vec<Person>,
    /// What must be so in every seed. That nothing leaks from room to room, that everybody connects, and that nothing is
    /// left at the end, is expected of all.
    pub expects: Vec<Expect>,
}

/// Somebody with a browser.
#[derive(Debug, Clone)]
pub struct Person {
    /// By which expectations and traces call them.
    pub name: &'static str,
    /// Which room.
    pub room: u8,
    /// When they join, from the beginning on; the seed makes it a little later.
    pub joins: Duration,
    /// When they leave; else they stay.
    pub leaves: Option<Duration>,
    /// Sends video in three encodings.
    pub camera: bool,
    /// Sends and takes video in one scalable encoding instead; the same for everybody of a room.
    pub scalable: bool,
    /// Sends audio.
    pub microphone: bool,
    /// Is shown all others.
    pub watches: bool,
    /// How large, in physical pixels; `None`: never says.
    pub tile: Option<(u16, u16)>,
    /// Towards the unit.
    pub up: Script,
    /// From the unit.
    pub down: Script,
}

impl Person {
    /// Sends camera and microphone over a good line, watches nobody.
    pub fn sender(name: &'static str) -> Self {
        Self {
            name,
            room: 1,
            joins: Duration::ZERO,
            leaves: None,
            camera: true,
            scalable: false,
            microphone: true,
            watches: false,
            tile: None,
            up: GOOD.into(),
            down: GOOD.into(),
        }
    }

    /// Watches everybody in large tiles over a good line, sends nothing.
    pub fn viewer(name: &'static str) -> Self {
        let sender = Self::sender(name);
        Self { camera: false, microphone: false, watches: true, tile: Some((1280, 720)), ..sender }
    }

    /// Does both.
    pub fn member(name: &'static str) -> Self {
        Self { watches: true, tile: Some((640, 360)), ..Self::sender(name) }
    }

    fn scalable(self) -> Self {
        Self { scalable: true, ..self }
    }

    fn down(self, script: impl Into<Script>) -> Self {
        Self { down: script.into(), ..self }
    }

    fn up(self, script: impl Into<Script>) -> Self {
        Self { up: script.into(), ..self }
    }

    fn room(self, room: u8) -> Self {
        Self { room, ..self }
    }

    fn joins(self, at: Duration) -> Self {
        Self { joins: at, ..self }
    }

    fn leaves(self, at: Duration) -> Self {
        Self { leaves: Some(at), ..self }
    }
}

const BEGINNING: Duration = Duration::ZERO;

/// A round trip of 50 ms.
const GOOD: Link = Link::good(25);
/// From the widest encoding to the narrowest.
const HIGH: &[u16] = &[1280];
/// What fits into 600 kbit/s with sound and headers: the middle one hardly, the low one surely.
const FITS_600_KBPS: &[u16] = &[320, 640];
const LOW: &[u16] = &[320];

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// All scenarios.
pub fn all() -> Vec<Scenario> {
    vec![
        step_down_and_up(false),
        step_down_and_up(true),
        three_receivers(),
        loss_is_local(),
        join_in_progress(),
        two_rooms(),
        narrow_and_lossy(),
        storm(),
    ]
}

/// One by its name.
pub fn by_name(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

fn step_down_and_up(scalable: bool) -> Scenario {
    let line = |kbps| GOOD.limited(kbps, 200);
    let like = |person: Person| if scalable { person.scalable() } else { person };
    // A lower layer goes on without a key frame.
    let longest = if scalable { ms(400) } else { ms(1_500) };
    let (falls, rises) = (seconds(12), seconds(24));
    let viewer = "viewer";
    Scenario {
        name: if scalable { "step-scalable" } else { "step" },
        about: if scalable {
            "the same with one scalable encoding"
        } else {
            "RTT 50 ms, 200 ms drop-tail queue: 4 Mbit/s, 600 kbit/s from 12 s on, 4 Mbit/s from 24 s on"
        },
        length: seconds(40),
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
    }
}

fn three_receivers() -> Scenario {
    let viewer = |name, kbps| Person::viewer(name).down(GOOD.limited(kbps, 200));
    Scenario {
        name: "three-receivers",
        about: "three receivers with 0.3, 1 and 4 Mbit/s in one room: each gets what fits, none affects another",
        length: seconds(25),
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
    }
}

fn loss_is_local() -> Scenario {
    // Once there is a picture: until then a browser asks for a key frame after 200 ms, which may be before the last packet
    // of the first one has come again.
    let begins = seconds(3);
    Scenario {
        name: "loss-is-local",
        about: "5 % loss towards one receiver is repaired for that one: the sender is asked for nothing more",
        length: seconds(20),
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
    }
}

fn join_in_progress() -> Scenario {
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
        name: "join-in-progress",
        about: "somebody joins while two talk, over a line with loss; one of the two leaves",
        length: seconds(20),
        people: vec![
            Person::member("anna"),
            Person::member("ben").leaves(seconds(14)),
            Person::member("late").joins(seconds(6)).down(bad).up(bad),
        ],
        expects,
    }
}

fn two_rooms() -> Scenario {
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
        name: "two-rooms",
        about: "two rooms on one unit: everybody sees their own room and nothing of the other",
        length: seconds(12),
        people,
        expects,
    }
}

fn narrow_and_lossy() -> Scenario {
    let line = Link::good(150).lossy(Loss::even(0.1)).limited(100, 300);
    let viewer = "viewer";
    // Nothing is known of a path until a round trip has passed, its queue on top: here two thirds of a second. Until then
    // it is taken for an ordinary one, or everybody on an ordinary one would begin with a small picture, and wait for it
    // where nobody looks at it yet. So there is a gap in the first words here, of a second at most.
    Scenario {
        name: "narrow-and-lossy",
        about: "100 kbit/s, 10 % loss, 300 ms: speech stays intelligible, video falls to what fits",
        length: seconds(30),
        people: vec![Person::sender("sender"), Person::viewer(viewer).down(line)],
        expects: vec![
            Expect::Sound { viewer, from: BEGINNING, share: 0.9, longest_gap: ms(1_000) },
            Expect::Sound { viewer, from: seconds(4), share: 0.95, longest_gap: ms(300) },
        ],
    }
}

fn storm() -> Scenario {
    let disorder = Link {
        delay: Delay { latency: ms(25), jitter: ms(20) },
        reorder: Reorder { share: 0.1, by: ms(40) },
        duplicate: Duplicate { share: 0.2, after: ms(30) },
        ..GOOD
    };
    Scenario {
        name: "storm",
        about: "both ways of two people reorder and double what they carry, and lose none of it",
        length: seconds(15),
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_everybody_expected_is_there() {
        let scenarios = all();
        for scenario in &scenarios {
            assert_eq!(scenarios.iter().filter(|s| s.name == scenario.name).count(), 1, "{}", scenario.name);
            for expect in &scenario.expects {
                let name = expect.about();
                assert!(scenario.people.iter().any(|p| p.name == name), "{}: {name}", scenario.name);
            }
        }
    }
}
