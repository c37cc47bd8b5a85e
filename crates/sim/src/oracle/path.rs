//! What is sent to a person, and what their path makes of it.

use std::time::Duration;

use crate::seat::PersonReport;

/// More than this share of what was sent from then on found the queue full.
pub(super) fn overfull(report: &PersonReport, from: Duration, most: f64) -> Option<String> {
    let (sent, dropped) =
        (report.down.bytes(from, report.until), report.dropped_down.bytes(from, report.until));
    let share = dropped as f64 / sent.max(1) as f64;
    (share > most).then(|| {
        let (share, most) = (share * 100.0, most * 100.0);
        format!("{share:.1} % of what is sent from {from:?} on finds the queue full, not {most:.1} %")
    })
}
