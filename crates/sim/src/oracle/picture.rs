//! What a person sees: when it appears, whether it stands still, how large it is.

use std::time::{Duration, Instant};

use super::both_there;
use crate::client::{Played, Shown};
use crate::seat::PersonReport;
use crate::world::Run;

/// The pictures of a person, each with the time in which it could be there.
pub(super) fn pictures<'a>(run: &'a Run, report: &'a PersonReport) -> Vec<(&'a [Shown], Duration, Duration)> {
    let mut pictures = Vec::new();
    for slot in &report.slots {
        let Played::Picture { shown, .. } = &slot.playout else { continue };
        let (from, until) = both_there(run, report, slot);
        pictures.push((shown.as_slice(), from, until));
    }
    pictures
}

pub(super) fn first_frame(run: &Run, report: &PersonReport, within: Duration) -> Vec<String> {
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

pub(super) fn freeze(
    run: &Run,
    report: &PersonReport,
    window: (Duration, Duration),
    longest: Duration,
) -> Vec<String> {
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

pub(super) fn widths(
    run: &Run,
    report: &PersonReport,
    window: (Duration, Duration),
    widths: &[u16],
) -> Vec<String> {
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
