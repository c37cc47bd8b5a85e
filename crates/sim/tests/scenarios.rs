//! The committed seeds of every scenario, on one unit and over two. Thousands more: `cargo xtask sweep`.

use sim::{Scenario, judge, scenario};

/// Seeds that every scenario runs with.
const SEEDS: [u64; 2] = [1, 2];

/// Seeds at which something was found once.
const FOUND: &[(&str, u64)] = &[
    // A path so full from the first packet on that the last part of the handshake never got through.
    ("narrow-and-lossy", 13),
    // Probes made queues that were taken for what the picture beside them made.
    ("step", 24),
    // A probe was one short of what it takes to raise a picture, and no other followed.
    ("step", 20),
    // What a receiver asked for twice was sent twice, into the queue that made it ask.
    ("three-receivers", 112),
];

fn failures(scenario: &Scenario, seeds: &[u64]) -> Vec<String> {
    let found = |seed: &u64| {
        let failures = judge(scenario, *seed, false).failures;
        failures.into_iter().map(|text| format!("{} seed {seed}: {text}", scenario.name)).collect::<Vec<_>>()
    };
    seeds.iter().flat_map(found).collect()
}

fn check(name: &str, units: usize) {
    let scenario = scenario::by_name(name).expect("a scenario of that name").over(units);
    let found = FOUND.iter().filter(|(of, _)| *of == name).map(|(_, seed)| *seed);
    let seeds: Vec<u64> = SEEDS.into_iter().chain(found).collect();
    let failures = failures(&scenario, &seeds);
    assert!(
        failures.is_empty(),
        "{failures:#?}\ncargo xtask sweep --scenario {name} --units {units} --seed N --trace"
    );
}

/// Tests for each scenario, and one that says that none is without.
macro_rules! scenarios {
    ($($test:ident: $name:literal,)*) => {
        $(
            mod $test {
                #[test]
                fn on_one_unit() {
                    super::check($name, 1);
                }

                #[test]
                fn over_two_units() {
                    super::check($name, 2);
                }
            }
        )*

        #[test]
        fn every_scenario_is_checked() {
            let checked = [$($name),*];
            let all: Vec<_> = scenario::all().iter().map(|s| s.name).collect();
            assert_eq!(all, checked);
        }
    };
}

scenarios! {
    a_link_that_narrows_and_widens: "step",
    a_link_that_narrows_and_widens_with_layers: "step-scalable",
    three_receivers_get_what_fits: "three-receivers",
    loss_is_local: "loss-is-local",
    somebody_joins_while_others_talk: "join-in-progress",
    rooms_do_not_see_each_other: "two-rooms",
    media_stays_in_its_room_whatever_the_room_says: "astray",
    speech_survives_a_bad_network: "narrow-and-lossy",
    a_storm_of_doubles_and_overtakers: "storm",
    tiles_get_what_their_size_deserves: "one-large",
    equals_get_the_same: "equals",
    what_nobody_sees_is_not_sent: "unseen",
    any_network: "range",
}
