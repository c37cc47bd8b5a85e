//! Which forwarding units are up.

use std::collections::BTreeMap;
use std::time::Duration;

use bus::media::UnitReport;
use model::UnitId;
use room::{NoPlace, UnitLoad, place};
use tokio::time::Instant;

/// Units report each second. Three reports missed and a bit are a dead unit: its people need the rest of five seconds to
/// be back on another one.
pub(crate) const UNIT_SILENT_MAX: Duration = Duration::from_millis(3_500);

/// Units of one deployment that are looked at. Far above what this version can run.
const UNITS_MAX: usize = 1_000;

/// What units say of themselves.
#[derive(Debug, Default)]
pub(crate) struct Units {
    reports: BTreeMap<UnitId, (UnitReport, Instant)>,
}

impl Units {
    /// Takes a report. True: the unit was not known to be up.
    pub(crate) fn heard(&mut self, report: UnitReport, now: Instant) -> bool {
        if self.reports.len() >= UNITS_MAX && !self.reports.contains_key(&report.unit) {
            return false;
        }
        self.reports.insert(report.unit, (report, now)).is_none()
    }

    /// Forgets the units that are silent, and names them.
    pub(crate) fn take_lost(&mut self, now: Instant) -> Vec<UnitId> {
        let is_lost = |at: Instant| now.duration_since(at) > UNIT_SILENT_MAX;
        let lost: Vec<UnitId> =
            self.reports.iter().filter(|(_, (_, at))| is_lost(*at)).map(|(id, _)| *id).collect();
        lost.iter().for_each(|id| {
            self.reports.remove(id);
        });
        lost
    }

    /// Where one more participant of a room on `current` goes.
    pub(crate) fn place(&self, current: Option<UnitId>) -> Result<UnitId, NoPlace> {
        let loads: Vec<UnitLoad> = self.reports.values().map(|(report, _)| load(report)).collect();
        place(&loads, current)
    }
}

fn load(report: &UnitReport) -> UnitLoad {
    let UnitReport { unit, peers, peers_max, load } = *report;
    UnitLoad { unit, peers, peers_max, load }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silent_unit_is_lost_once() {
        let mut units = Units::default();
        let start = Instant::now();
        let report = |id| UnitReport { unit: UnitId(id), peers: 0, peers_max: 10, load: 0.0 };
        assert!(units.heard(report(1), start));
        assert!(units.heard(report(2), start));
        let later = start + UNIT_SILENT_MAX + Duration::from_millis(1);
        assert!(!units.heard(report(2), later));
        assert_eq!(units.take_lost(later), [UnitId(1)]);
        assert!(units.take_lost(later).is_empty());
        assert_eq!(units.place(Some(UnitId(1))), Ok(UnitId(2)));
        assert!(units.heard(report(1), later), "it is back");
    }
}
