//! What a person would notice, and whether it was so.

use std::time::{Duration, Instant};

use crate::client::{Played, Shown, SlotReport};
use crate::scenario::Scenario;
use crate::world::{PersonReport, Run, run};

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
            | Expect::Sound { viewer, .. } => viewer,
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
    let run = run(scenario, seed, trace);
    let mut failures = run.faults.clone();
    failures.extend(leaks(scenario, &run));
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
            Expect::FirstFrame { within, .. } => first_frame(&run, report, within),
            Expect::Freeze { from, to, longest, .. } => freeze(&run, report, (from, to), longest),
            Expect::Widths { from, to, widths, .. } => self::widths(&run, report, (from, to), widths),
            Expect::Sound { from, share, longest_gap, .. } => sound(&run, report, from, share, longest_gap),
            Expect::Undisturbed { .. } => {
                let twin = twin.get_or_insert_with(|| self::run(&without_loss(scenario), seed, false));
                twin.people.get(index).and_then(|calm| disturbed(report, calm)).into_iter().collect()
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

/// Nobody is sent anything that comes from another room.
fn leaks(scenario: &Scenario, run: &Run) -> Vec<String> {
    let mut found = Vec::new();
    for (receiver, report) in scenario.people.iter().zip(&run.people) {
        for source in report.slots.iter().flat_map(|slot| &slot.sources) {
            let sender = scenario.people.iter().zip(&run.people).find(|(_, r)| r.ssrcs.contains(source));
            match sender {
                Some((sender, _)) if sender.room == receiver.room && sender.name != receiver.name => {}
                Some((sender, _)) => found.push(format!("{} is sent {}'s media", receiver.name, sender.name)),
                None => found.push(format!("{} is sent what nobody here sends: {source:08x}", receiver.name)),
            }
        }
    }
    found
}

/// When what a slot showed could be there: while both ends were.
fn both_there(run: &Run, report: &PersonReport, slot: &SlotReport) -> (Duration, Duration) {
    let sender = run.people.iter().find(|r| slot.sources.iter().any(|s| r.ssrcs.contains(s)));
    let (from, until) = sender.map_or((Duration::ZERO, report.until), |s| (s.joined, s.until));
    (from.max(report.joined), until.min(report.until))
}

/// The pictures of a person, each with the time in which it could be there.
fn pictures<'a>(run: &'a Run, report: &'a PersonReport) -> Vec<(&'a [Shown], Duration, Duration)> {
    let mut pictures = Vec::new();
    for slot in &report.slots {
        let Played::Picture { shown, .. } = &slot.playout else { continue };
        let (from, until) = both_there(run, report, slot);
        pictures.push((shown.as_slice(), from, until));
    }
    pictures
}

fn first_frame(run: &Run, report: &PersonReport, within: Duration) -> Vec<String> {
    let since = |at: Instant, from: Duration| (at - report.base).saturating_sub(from);
    let late = |(shown, from, _): (&[Shown], Duration, Duration)| match shown.first() {
        None => Some("a picture never appears".to_owned()),
        Some(first) => {
            let after = since(first.at, from);
            (after > within).then(|| format!("a picture appears after {after:.2?}, not {within:?}"))
        }
    };
    pictures(run, report).into_iter().filter_map(late).collect()
}

fn freeze(run: &Run, report: &PersonReport, window: (Duration, Duration), longest: Duration) -> Vec<String> {
    let mut found = Vec::new();
    for (shown, from, until) in pictures(run, report) {
        // Until there is a picture it is no frozen one: that is what the first frame is about.
        let begins = shown.first().map_or(from, |first| first.at - report.base);
        let (from, until) = (window.0.max(begins), window.1.min(until));
        let times = shown.iter().map(|s| s.at - report.base).filter(|at| (from..until).contains(at));
        let times: Vec<Duration> = [from].into_iter().chain(times).chain([until.max(from)]).collect();
        let gaps =
            times.windows(2).filter_map(|w| Some((*w.first()?, w.last()?.saturating_sub(*w.first()?))));
        if let Some((at, gap)) = gaps.max_by_key(|(_, gap)| *gap).filter(|(_, gap)| *gap > longest) {
            found.push(format!("a picture stands still for {gap:.2?} from {at:.2?} on, not {longest:?}"));
        }
    }
    found
}

fn widths(run: &Run, report: &PersonReport, window: (Duration, Duration), widths: &[u16]) -> Vec<String> {
    let mut found = Vec::new();
    for (shown, _, _) in pictures(run, report) {
        let inside = |s: &&Shown| (window.0..window.1).contains(&(s.at - report.base));
        let seen: Vec<&Shown> = shown.iter().filter(inside).collect();
        let wrong: Vec<&&Shown> = seen.iter().filter(|s| !widths.contains(&s.width)).collect();
        if let Some(first) = wrong.first() {
            found.push(format!(
                "{} of {} frames from {:?} to {:?} are not {widths:?} wide: {} at {:.2?}",
                wrong.len(),
                seen.len(),
                window.0,
                window.1,
                first.width,
                first.at - report.base,
            ));
        } else if seen.is_empty() {
            found.push(format!("nothing is shown from {:?} to {:?}", window.0, window.1));
        }
    }
    found
}

fn sound(run: &Run, report: &PersonReport, from: Duration, share: f64, longest_gap: Duration) -> Vec<String> {
    let mut found = Vec::new();
    for slot in &report.slots {
        let Played::Sound(sound) = &slot.playout else { continue };
        let (_, until) = both_there(run, report, slot);
        let Some(heard) = sound.heard(report.base + from, report.base + until) else {
            found.push("nothing is ever heard".to_owned());
            continue;
        };
        if heard.share() < share {
            let percent = heard.share() * 100.0;
            found.push(format!("{percent:.1} % of speech is heard, not {:.1} %", share * 100.0));
        }
        let gap = heard.longest_gap();
        if gap > longest_gap {
            let from = heard.longest_gap_from();
            found.push(format!("speech is gone for {gap:?} after {from:?}, not {longest_gap:?}"));
        }
    }
    found
}

fn disturbed(report: &PersonReport, calm: &PersonReport) -> Option<String> {
    let key_frames = |r: &PersonReport| r.sent.iter().map(|s| s.key_frames_asked).sum::<u64>();
    let asked = (key_frames(report), report.repairs_asked);
    let without = (key_frames(calm), calm.repairs_asked);
    (asked.0 > without.0 || asked.1 > without.1)
        .then(|| format!("asked for (key frames, retransmissions) {asked:?}, without loss {without:?}"))
}

/// What a person noticed, in a line.
pub fn describe(name: &str, report: &PersonReport) -> String {
    let mut text = format!(
        "{name}: joined {:.2?}, connected {}, {} dropped at the queue",
        report.joined, report.connected, report.dropped_down
    );
    for slot in &report.slots {
        match &slot.playout {
            Played::Sound(sound) => match sound.heard(report.base, report.base + report.until) {
                Some(heard) => {
                    let percent = heard.share() * 100.0;
                    text += &format!("\n    heard {percent:.1} %, longest gap {:?}", heard.longest_gap());
                }
                None => text += "\n    heard nothing",
            },
            Played::Picture { shown, key_frames_asked } => {
                text += &format!("\n    {} frames, {key_frames_asked} key frames asked for:", shown.len());
                let mut before = None;
                for shown in shown {
                    let at = shown.at - report.base;
                    let gap = before.map_or(Duration::ZERO, |(before, _)| at - before);
                    if gap > Duration::from_millis(150) {
                        text += &format!(" frozen {gap:.2?} until {at:.2?},");
                    }
                    if before.is_none_or(|(_, width)| width != shown.width) {
                        text += &format!(" {} wide from {at:.2?} on,", shown.width);
                    }
                    before = Some((at, shown.width));
                }
            }
        }
    }
    for sent in &report.sent {
        let rid = sent.rid.map_or("a single stream".to_owned(), |rid| rid.to_string());
        text += &format!(
            "\n    sent {rid}: {} packets, {} key frames asked for",
            sent.packets, sent.key_frames_asked
        );
    }
    if !report.sent.is_empty() {
        text += &format!("\n    {} retransmissions asked for", report.repairs_asked);
    }
    text
}
