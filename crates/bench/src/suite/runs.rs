//! Single runs of a subject, what is read from their results, and what restricts the meaning of those.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::figures::Figure;
use super::{Effort, Suite};

pub(super) fn number(results: &Option<Value>, key: &str) -> Option<f64> {
    results.as_ref()?[key].as_f64()
}

/// Whether nearly everything arrived and the generator kept up; as `althing-load` judges it.
fn is_carried(results: &Value) -> bool {
    let of = |key: &str| results[key].as_f64();
    of("delivered_pct").is_some_and(|percent| percent >= 98.0) && of("own_frames_skipped") == Some(0.0)
}

/// The highest rate of a ramp that was carried.
pub(super) fn highest_carried(results: &[Value]) -> Option<f64> {
    let carried = results.iter().filter(|results| is_carried(results));
    carried.filter_map(|results| results["forwarded_pps"].as_f64()).reduce(f64::max)
}

/// What restricts the meaning of a figure, each said once.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    fn say(&mut self, note: &str) {
        if !self.0.iter().any(|said| said == note) {
            self.0.push(note.to_owned());
        }
    }

    pub(super) fn of_load(&mut self, results: &Option<Value>) {
        let Some(results) = results else { return self.say("a round failed") };
        if results["delivered_pct"].as_f64().is_some_and(|percent| percent < 98.0) {
            self.say("more than 2 % was not delivered");
        }
        if is_generator_full(results) {
            self.say("the generator was the limit");
        }
        if results["reports"].as_u64() == Some(0) {
            self.say("receivers sent no feedback");
        }
    }

    pub(super) fn of_janus(&mut self, results: &Option<Value>) {
        if let Some(results) = results
            && results["delivered_pct"].as_f64().is_some_and(|percent| percent < 98.0)
        {
            self.say("Janus did not deliver all");
        }
    }

    pub(super) fn of_limit(&mut self, results: &Option<Value>) {
        let Some(results) = results else { return self.say("a round of limit failed") };
        if results["delivered_pct"].as_f64().is_some_and(|percent| percent < 98.0) {
            self.say("more than 2 % of limit's packets were not taken in");
        }
    }

    /// Where a ramp ended: if not by the server, it could do more.
    pub(super) fn of_ramp_end(&mut self, results: &Value) {
        let server = results["server_cpu_pct"].as_f64().unwrap_or(0.0);
        if server < 90.0 && is_generator_full(results) {
            self.say("the generator was the limit, the server could do more");
        }
    }

    pub(super) fn on(&self, figure: Option<Figure>) -> Option<Figure> {
        figure.map(|figure| Figure { notes: self.0.clone(), ..figure })
    }
}

fn is_generator_full(results: &Value) -> bool {
    let of = |key: &str| results[key].as_f64().unwrap_or(0.0);
    of("own_cpu_pct") >= 95.0 || of("own_frames_skipped") > 0.0
}

impl Suite {
    pub(super) fn ours(&mut self, load: &str) -> Option<Value> {
        self.ours_ramp(&self.timed(load)).into_iter().next()
    }

    pub(super) fn ours_ramp(&mut self, load: &str) -> Vec<Value> {
        let results = self.bench.ours(load, RUN_MAX);
        self.told(load, results).unwrap_or_default()
    }

    pub(super) fn janus(&mut self, load: &str) -> Option<Value> {
        self.janus_ramp(&self.timed(load)).into_iter().next()
    }

    pub(super) fn janus_ramp(&mut self, load: &str) -> Vec<Value> {
        let results = self.bench.janus(load, RUN_MAX);
        self.told(load, results).flatten().unwrap_or_default()
    }

    pub(super) fn limit(&mut self, load: &str) -> Option<Value> {
        let times = if load.contains("--secs") { String::new() } else { format!("--secs {}", self.secs()) };
        let results = self.bench.limit(&format!("{load} {times}"), RUN_MAX);
        self.told(load, results)
    }

    /// With how long the measurement takes, where the group does not say.
    fn timed(&self, load: &str) -> String {
        if load.contains("--secs") {
            return load.to_owned();
        }
        // Estimators have time to find out what there is.
        let warm = if self.effort == Effort::Quick { 1 } else { 3 };
        format!("{load} --warm {warm} --secs {}", self.secs())
    }

    fn secs(&self) -> f64 {
        if self.effort == Effort::Quick { 2.0 } else { 5.0 }
    }

    /// Says what failed, once it has; the others go on.
    pub(super) fn told<T>(&mut self, what: &str, result: Result<T>) -> Option<T> {
        result.map_err(|error| eprintln!("! {what}: {error:#}")).ok()
    }
}

/// A single run of a program that takes longer hangs.
const RUN_MAX: Duration = Duration::from_secs(180);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_ramp_gives_the_highest_rate_that_was_carried() {
        let step = |pps: f64, delivered: f64, skipped: u64| json!({ "forwarded_pps": pps, "delivered_pct": delivered, "own_frames_skipped": skipped });
        let ramp = [step(1.0, 100.0, 0), step(2.0, 99.0, 0), step(3.0, 97.0, 0), step(4.0, 99.0, 5)];
        assert_eq!(highest_carried(&ramp), Some(2.0));
        assert_eq!(highest_carried(&ramp[2..]), None);
    }

    #[test]
    fn what_restricts_a_figure_is_said_once() {
        let mut notes = Notes::default();
        let bad = Some(
            json!({ "delivered_pct": 90.0, "own_cpu_pct": 99.0, "own_frames_skipped": 0, "reports": 0 }),
        );
        notes.of_load(&bad);
        notes.of_load(&bad);
        notes.of_load(&Some(json!({ "delivered_pct": 100.0, "reports": 7 })));
        assert_eq!(notes.0.len(), 3, "{notes:?}");
    }
}
