//! One seed is one world.

use sim::{run, scenario};

#[test]
fn a_seed_replays_exactly_and_another_one_does_not() {
    for (name, units) in [("loss-is-local", 1), ("join-in-progress", 1), ("storm", 2), ("range", 2)] {
        let scenario = scenario::by_name(name).expect("a scenario of that name").over(units).of_seed(7);
        let [first, second] = [(); 2].map(|()| run(&scenario, 7, true));
        if let Some((one, other)) = first.lines.iter().zip(&second.lines).find(|(one, other)| one != other) {
            panic!("{name} parts here:\n{one}\n{other}");
        }
        assert_eq!(first.hash, second.hash, "{name}");
        assert_ne!(first.hash, run(&scenario, 8, false).hash, "{name}");
    }
}

/// Across processes too: what a client takes from its system is fixed.
#[test]
#[cfg(target_os = "linux")]
fn nothing_comes_from_the_machine() {
    let scenario = scenario::by_name("two-rooms").expect("a scenario of that name");
    let program = env!("CARGO_BIN_EXE_althing-sim");
    let output = std::process::Command::new(program)
        .args(["--scenario", "two-rooms", "--seed", "3"])
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let hash = format!("hash {:016x}", run(&scenario, 3, false).hash);
    assert!(text.contains(&hash), "{hash} is not in\n{text}");
}
