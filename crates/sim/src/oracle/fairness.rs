//! Equals are treated equally, and tiles by their size.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::Played;
use crate::scenario::{Person, Scenario};
use crate::seat::PersonReport;
use crate::world::Run;

/// Of each report, its end is looked at: by then what fits has been found out.
const END: Duration = Duration::from_secs(4);
/// Who came this much later than another may be behind; it takes so long to find out what a path carries.
const SETTLED: Duration = Duration::from_secs(12);

/// Who is treated other than an equal.
pub(super) fn unfair(scenario: &Scenario, run: &Run) -> Vec<String> {
    let mut found = Vec::new();
    let people: Vec<(&Person, &PersonReport)> = scenario.people.iter().zip(&run.people).collect();
    for (n, (person, report)) in people.iter().enumerate() {
        let own = widths(scenario, run, report);
        found.extend(tiles(person, &own));
        for (other, reported) in people.iter().skip(n + 1).filter(|(other, _)| equal(person, other)) {
            if [report, reported].iter().any(|r| r.until < r.joined + SETTLED) {
                continue;
            }
            let others = widths(scenario, run, reported);
            for (sender, width) in &own {
                if let Some(theirs) = others.get(sender).filter(|theirs| *theirs != width) {
                    let (one, two) = (person.name, other.name);
                    found
                        .push(format!("{one} sees {sender} {width} wide and {two} {theirs}, on equal paths"));
                }
            }
        }
    }
    found
}

/// Both are shown the same in the same size over the same path.
fn equal(one: &Person, two: &Person) -> bool {
    one.room == two.room
        && (one.watches, one.camera, one.scalable, one.tile)
            == (two.watches, two.camera, two.scalable, two.tile)
        && one.tiles == two.tiles
        && (&one.down, &one.up) == (&two.down, &two.up)
}

/// Of tiles that share a path, a larger one gets no smaller picture, and equal ones differ by one step at most: what is
/// left over when all have the same goes to one of them.
fn tiles(person: &Person, widths: &BTreeMap<&str, u16>) -> Vec<String> {
    let area = |sender: &str| {
        let own = person.tiles.iter().find(|(of, _)| *of == sender).map(|(_, tile)| *tile);
        own.or(person.tile).map_or(u64::MAX, |(w, h)| u64::from(w) * u64::from(h))
    };
    let mut found = Vec::new();
    for (one, width) in widths {
        for (other, theirs) in widths {
            let (larger, equal) = (area(one) > area(other), area(one) == area(other));
            if larger && width < theirs || equal && width * 2 < *theirs {
                let name = person.name;
                found.push(format!(
                    "{name} sees {one} {width} wide and {other} {theirs}, in a smaller tile or its like"
                ));
            }
        }
    }
    found
}

/// By sender, the width in which most frames were shown lately.
fn widths<'a>(scenario: &'a Scenario, run: &Run, report: &PersonReport) -> BTreeMap<&'a str, u16> {
    let mut widths = BTreeMap::new();
    for slot in &report.slots {
        let Played::Picture { shown, .. } = &slot.playout else { continue };
        let is_source = |r: &PersonReport| slot.sources.iter().any(|(s, _)| r.ssrcs.contains(s));
        let sender = scenario.people.iter().zip(&run.people).find(|(_, r)| is_source(r));
        let Some((sender, sent)) = sender else { continue };
        let end = report.until.min(sent.until);
        let begin = end.saturating_sub(END);
        if begin < sent.joined + SETTLED || begin < report.joined + SETTLED {
            continue;
        }
        let mut frames: BTreeMap<u16, usize> = BTreeMap::new();
        for frame in shown.iter().filter(|f| (begin..end).contains(&(f.at - report.base))) {
            *frames.entry(frame.width).or_default() += 1;
        }
        if let Some((width, _)) = frames.into_iter().max_by_key(|(_, count)| *count) {
            widths.insert(sender.name, width);
        }
    }
    widths
}
