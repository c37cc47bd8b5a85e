//! Scenarios: who takes part, over which network, and what must be noticed.

mod range;
mod stories;
mod tiles;

use std::time::Duration;

use crate::network::{Link, Script};
use crate::oracle::Expect;
use crate::random::Random;

/// A story with its expectations.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// By which it is asked for.
    pub name: &'static str,
    /// What it is about, in one line.
    pub about: &'static str,
    /// What of it was drawn with the seed; empty: nothing.
    pub drawn: String,
    /// How long it lasts.
    pub length: Duration,
    /// Units that the rooms are spread over.
    pub units: usize,
    /// Who takes part, in this order.
    pub people: Vec<Person>,
    /// What must be so in every seed. That nothing leaks from room to room, that everybody connects, and that nothing is
    /// left at the end, is expected of all.
    pub expects: Vec<Expect>,
    /// The room errs: it binds slots of everybody to what is sent in other rooms too.
    pub astray: bool,
    /// What is other in each seed.
    pub draws: Option<fn(&mut Random) -> Scenario>,
}

impl Scenario {
    /// On one unit, where nothing is expected yet but what is of all.
    fn new(name: &'static str, about: &'static str, length: Duration) -> Self {
        let (people, expects) = (Vec::new(), Vec::new());
        let drawn = String::new();
        Self { name, about, drawn, length, units: 1, people, expects, astray: false, draws: None }
    }

    /// As it is with this seed.
    #[must_use]
    pub fn of_seed(&self, seed: u64) -> Self {
        match self.draws {
            Some(draw) => draw(&mut Random::new(seed).part("scenario", 0)).over(self.units),
            None => self.clone(),
        }
    }

    /// The same over so many units.
    #[must_use]
    pub fn over(self, units: usize) -> Self {
        Self { units, ..self }
    }
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
    /// Whom they show in another size; 0 × 0: not at all.
    pub tiles: Vec<(&'static str, (u16, u16))>,
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
            tiles: Vec::new(),
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

    fn mute(self) -> Self {
        Self { microphone: false, ..self }
    }

    fn shows(self, tiles: &[(&'static str, (u16, u16))]) -> Self {
        Self { tiles: tiles.to_vec(), ..self }
    }

    fn joins(self, at: Duration) -> Self {
        Self { joins: at, ..self }
    }

    fn leaves(self, at: Duration) -> Self {
        Self { leaves: Some(at), ..self }
    }
}

/// A round trip of 50 ms.
const GOOD: Link = Link::good(25);

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// All scenarios.
pub fn all() -> Vec<Scenario> {
    vec![
        stories::step_down_and_up(false),
        stories::step_down_and_up(true),
        stories::three_receivers(),
        stories::loss_is_local(),
        stories::join_in_progress(),
        stories::two_rooms(),
        stories::astray(),
        stories::narrow_and_lossy(),
        stories::storm(),
        tiles::one_large(),
        tiles::equals(),
        tiles::unseen(),
        range::range(),
    ]
}

/// One by its name.
pub fn by_name(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
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
