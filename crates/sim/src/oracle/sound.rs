//! What a person hears.

use std::time::Duration;

use super::both_there;
use crate::client::Played;
use crate::seat::PersonReport;
use crate::world::Run;

/// Speech is heard: at least `share` of it, without a longer gap.
pub(super) fn sound(
    run: &Run,
    report: &PersonReport,
    from: Duration,
    share: f64,
    longest_gap: Duration,
) -> Vec<String> {
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
