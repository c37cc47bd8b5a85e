//! What a sender is asked for, and what it sends for nobody.

use std::time::Duration;

use crate::flow::Flow;
use crate::scenario::{Person, Scenario};
use crate::seat::PersonReport;
use crate::world::Run;

/// A camera's encoding may be sent for so long while nobody is shown it. A unit waits two seconds before it switches
/// one off, for layouts change and pages turn back; the rest is a second for a look at it (150 ms), for what waits in
/// queues and for rounding, and the way to the sender and back, which comes on top.
const UNSEEN_MAX: Duration = Duration::from_secs(3);

/// After a pause this long an encoding was switched on again: somebody is to be shown it, and is not yet.
const PAUSE: Duration = Duration::from_millis(500);

/// Nothing is sent that nobody looks at. Sound is always listened to. Who has just come is to be shown something.
pub(super) fn waste(scenario: &Scenario, run: &Run) -> Vec<String> {
    let mut found = Vec::new();
    for (person, report) in scenario.people.iter().zip(&run.people) {
        let room: Vec<_> =
            scenario.people.iter().zip(&run.people).filter(|(p, _)| p.room == person.room).collect();
        let watching = || room.iter().filter(|(p, _)| p.watches);
        let longest = watching().map(|(p, _)| p.down.latency_max() + p.up.latency_max()).max();
        let way = person.up.latency_max() + person.down.latency_max() + longest.unwrap_or_default();
        let came: Vec<Duration> = watching().filter_map(|(_, report)| report.connected_at).collect();
        for (sent, ssrc) in report.sent.iter().zip(&report.ssrcs).filter(|(sent, _)| sent.video) {
            let (from, unseen) =
                longest_unseen(&sent.flow, &shown(scenario, run, (person.name, *ssrc), &came));
            if unseen > UNSEEN_MAX + way {
                let rid = sent.rid.map_or("a camera".to_owned(), |rid| format!("encoding {rid}"));
                let most = UNSEEN_MAX + way;
                found.push(format!(
                    "{}: {rid} is sent for {unseen:?} from {from:?} on while nobody is shown it, not {most:?}",
                    person.name,
                ));
            }
        }
    }
    found
}

/// When anybody was sent a stream who is to see it, or came to be. What does not arrive counts: a path may be full.
fn shown(scenario: &Scenario, run: &Run, (sender, ssrc): (&str, u32), came: &[Duration]) -> Vec<Duration> {
    let hides = |p: &Person| p.tiles.iter().any(|(of, tile)| *of == sender && *tile == (0, 0));
    let seeing = scenario.people.iter().zip(&run.people).filter(|(p, _)| !hides(p));
    let flows = seeing.flat_map(|(_, report)| &report.sent_of).filter(|(source, _)| *source == ssrc);
    let mut times: Vec<Duration> =
        flows.flat_map(|(_, flow)| flow.times()).chain(came.iter().copied()).collect();
    times.sort_unstable();
    times
}

/// The longest time for which a stream was sent and not shown: from when on, and how long.
fn longest_unseen(sent: &Flow, shown: &[Duration]) -> (Duration, Duration) {
    let (mut longest, mut since, mut before) = ((Duration::ZERO, Duration::ZERO), None, None::<Duration>);
    let mut shown = shown.iter().peekable();
    for at in sent.times() {
        if before.is_none_or(|before| at - before > PAUSE) {
            since = Some(at);
        }
        before = Some(at);
        while let Some(seen) = shown.next_if(|seen| **seen <= at) {
            since = since.max(Some(*seen));
        }
        if let Some(since) = since
            && at.saturating_sub(since) > longest.1
        {
            longest = (since, at - since);
        }
    }
    longest
}

/// A sender was asked for more than it would have been had no path lost anything.
pub(super) fn disturbed(report: &PersonReport, calm: &PersonReport) -> Option<String> {
    let key_frames = |r: &PersonReport| r.sent.iter().map(|s| s.key_frames_asked).sum::<u64>();
    let asked = (key_frames(report), report.repairs_asked);
    let without = (key_frames(calm), calm.repairs_asked);
    (asked.0 > without.0 || asked.1 > without.1)
        .then(|| format!("asked for (key frames, retransmissions) {asked:?}, without loss {without:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(seconds: &[(u64, u64)]) -> Flow {
        let base = crate::tests::base();
        let mut flow = Flow::new(base);
        for ms in seconds.iter().flat_map(|(from, to)| (from * 1_000..to * 1_000).step_by(50)) {
            flow.count(base + Duration::from_millis(ms), 100);
        }
        flow
    }

    #[test]
    fn time_unseen_counts_from_the_last_look_or_from_the_beginning() {
        let s = Duration::from_secs;
        let seconds = |range: std::ops::Range<u64>| range.map(s).collect::<Vec<_>>();
        let unseen = |sent: &[_], shown: &[Duration]| {
            let (from, long) = longest_unseen(&flow(sent), shown);
            (from, Duration::from_secs_f64(long.as_secs_f64().round()))
        };
        assert_eq!(unseen(&[(0, 10)], &[]), (s(0), s(10)), "never");
        assert_eq!(unseen(&[(0, 10)], &seconds(0..6)), (s(5), s(5)));
        assert_eq!(unseen(&[(0, 3), (6, 8)], &[]), (s(0), s(3)), "a pause begins anew");
        assert_eq!(unseen(&[(0, 10)], &seconds(4..10)), (s(0), s(4)), "late");
    }
}
