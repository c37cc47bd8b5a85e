//! What a person would notice, and whether it was so.

mod describe;
mod fairness;
mod path;
mod picture;
mod rooms;
mod sound;
mod uplink;

use std::time::Duration;

use crate::client::SlotReport;
use crate::scenario::Scenario;
use crate::seat::PersonReport;
use crate::world::{Run, run};

pub use describe::describe;

/// Something that must be so. Times count from the beginning of the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expect {
    /// Each picture appears within this time after both ends have joined.
    FirstFrame {
        /// Who watches.
        viewer: &'static str,
        /// How soon.
        within: Duration,
    },
    /// No picture stands still for longer.
    Freeze {
        /// Who watches.
        viewer: &'static str,
        /// From when on.
        from: Duration,
        /// Until when.
        to: Duration,
        /// How long at most.
        longest: Duration,
    },
    /// All pictures are of one of these widths.
    Widths {
        /// Who watches.
        viewer: &'static str,
        /// From when on.
        from: Duration,
        /// Until when.
        to: Duration,
        /// In pixels.
        widths: &'static [u16],
    },
    /// Speech is heard.
    Sound {
        /// Who listens.
        viewer: &'static str,
        /// From when on.
        from: Duration,
        /// At least this share of it.
        share: f64,
        /// Without a longer gap.
        longest_gap: Duration,
    },
    /// What is sent fits the path: no more than this share of it finds the queue before it full.
    Fits {
        /// Who receives.
        viewer: &'static str,
        /// From when on.
        from: Duration,
        /// Of the bytes sent.
        dropped: f64,
    },
    /// The sender is asked for no more retransmissions and key frames than if no path lost anything.
    Undisturbed {
        /// Who sends.
        sender: &'static str,
    },
}

impl Expect {
    /// Whom it is about.
    pub fn about(&self) -> &'static str {
        match self {
            Expect::FirstFrame { viewer, .. }
            | Expect::Freeze { viewer, .. }
            | Expect::Widths { viewer, .. }
            | Expect::Sound { viewer, .. }
            | Expect::Fits { viewer, .. } => viewer,
            Expect::Undisturbed { sender } => sender,
        }
    }
}

/// What a seed showed.
#[derive(Debug)]
pub struct Verdict {
    /// What was not as it must be; empty: all was.
    pub failures: Vec<String>,
    /// What happened.
    pub run: Run,
}

/// Runs a scenario with a seed and says what was not as it must be.
pub fn judge(scenario: &Scenario, seed: u64, trace: bool) -> Verdict {
    let scenario = &scenario.of_seed(seed);
    let run = run(scenario, seed, trace);
    let mut failures = run.faults.clone();
    failures.extend(rooms::leaks(scenario, &run));
    failures.extend(uplink::waste(scenario, &run));
    failures.extend(fairness::unfair(scenario, &run));
    for (person, report) in scenario.people.iter().zip(&run.people) {
        if !report.connected {
            failures.push(format!("{} is not connected", person.name));
        }
    }
    let mut twin = None;
    for expect in &scenario.expects {
        let Some(index) = scenario.people.iter().position(|p| p.name == expect.about()) else { continue };
        let Some(report) = run.people.get(index) else { continue };
        let found = match *expect {
            Expect::FirstFrame { within, .. } => picture::first_frame(&run, report, within),
            Expect::Freeze { from, to, longest, .. } => picture::freeze(&run, report, (from, to), longest),
            Expect::Widths { from, to, widths, .. } => picture::widths(&run, report, (from, to), widths),
            Expect::Sound { from, share, longest_gap, .. } => {
                sound::sound(&run, report, from, share, longest_gap)
            }
            Expect::Fits { from, dropped, .. } => path::overfull(report, from, dropped).into_iter().collect(),
            Expect::Undisturbed { .. } => {
                let twin = twin.get_or_insert_with(|| self::run(&without_loss(scenario), seed, false));
                twin.people.get(index).and_then(|calm| uplink::disturbed(report, calm)).into_iter().collect()
            }
        };
        failures.extend(found.into_iter().map(|text| format!("{}: {text}", expect.about())));
    }
    Verdict { failures, run }
}

fn without_loss(scenario: &Scenario) -> Scenario {
    let mut twin = scenario.clone();
    for person in &mut twin.people {
        person.up = person.up.clone().without_loss();
        person.down = person.down.clone().without_loss();
    }
    twin
}

/// When what a slot showed could be there: while both ends were.
fn both_there(run: &Run, report: &PersonReport, slot: &SlotReport) -> (Duration, Duration) {
    let sender = run.people.iter().find(|r| slot.sources.iter().any(|(s, _)| r.ssrcs.contains(s)));
    let (from, until) = sender.map_or((Duration::ZERO, report.until), |s| (s.joined, s.until));
    (from.max(report.joined), until.min(report.until))
}
