//! Tiles: large and small, equal ones, and those that nobody sees.

use super::{GOOD, Person, Scenario, ms, seconds};
use crate::oracle::Expect;

const SMALL: (u16, u16) = (320, 180);
const HIDDEN: (u16, u16) = (0, 0);

/// One tile is worth more than three others, and the path does not carry what all want.
pub(super) fn one_large() -> Scenario {
    let small = ["ben", "carla", "dora"];
    let viewer = "viewer";
    let looks = Person::viewer(viewer).shows(&small.map(|name| (name, SMALL))).down(GOOD.limited(1_500, 200));
    let mut people = vec![Person::sender("anna")];
    people.extend(small.map(|name| Person::sender(name).mute()));
    people.push(looks);
    Scenario {
        people,
        expects: vec![
            // What the path carries is first taken for too little, and looked into again after two seconds and a half.
            Expect::FirstFrame { viewer, within: ms(4_500) },
            // What is left beside one in the middle size carries all small ones, and not the largest.
            Expect::Widths { viewer, from: seconds(20), to: seconds(30), widths: &[320, 640] },
        ],
        ..Scenario::new("one-large", "1.5 Mbit/s, one large tile and three small ones", seconds(30))
    }
}

/// Three who are shown the same over paths that are the same.
pub(super) fn equals() -> Scenario {
    let viewers = ["ada", "bob", "cleo"];
    let line = GOOD.limited(1_100, 200);
    let mut people = vec![Person::sender("anna"), Person::sender("ben").mute()];
    people.extend(viewers.map(|name| Person::viewer(name).shows(&[("ben", SMALL)]).down(line)));
    Scenario {
        people,
        expects: viewers.map(|viewer| Expect::FirstFrame { viewer, within: ms(4_500) }).into_iter().collect(),
        ..Scenario::new("equals", "three with 1.1 Mbit/s each are sent the same", seconds(30))
    }
}

/// Cameras that nobody sees: alone in a room, behind hidden tiles, small everywhere, and after the last viewer has left.
pub(super) fn unseen() -> Scenario {
    let watcher = Person::viewer("watcher").shows(&[("hidden", HIDDEN), ("small", SMALL)]);
    Scenario {
        people: vec![
            Person::sender("alone").room(2),
            Person::sender("alone-scalable").scalable().room(3),
            Person::sender("hidden"),
            Person::sender("small"),
            Person::sender("seen"),
            watcher.leaves(seconds(10)),
        ],
        expects: Vec::new(),
        ..Scenario::new("unseen", "cameras that nobody sees, or not as large, cost no uplink", seconds(18))
    }
}
