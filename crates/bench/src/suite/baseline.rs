//! All results of a run, as a file, and the comparison with those of an earlier one.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::figures::Figure;
use super::machine::Machine;

/// Raised when figures change their meaning.
const VERSION: u32 = 1;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Results {
    version: u32,
    pub(super) machine: Machine,
    /// Short runs compare with short runs.
    quick: bool,
    rounds: usize,
    pub(super) figures: Vec<Figure>,
}

/// How a figure compares with an earlier run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    /// There is nothing to compare with.
    None,
    /// Within the spread of both.
    Same(f64),
    /// By this factor, and more than noise.
    Better(f64),
    /// By this factor, and more than noise.
    Worse(f64),
}

impl Results {
    pub(super) fn new(quick: bool, rounds: usize) -> Self {
        Self { version: VERSION, machine: Machine::this(), quick, rounds, figures: Vec::new() }
    }

    /// None: there is no such file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let read = || -> Result<Self> { Ok(serde_json::from_str(&fs::read_to_string(path)?)?) };
        let results = read().with_context(|| path.display().to_string())?;
        Ok((results.version == VERSION).then_some(results))
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| path.display().to_string())
    }

    /// What a figure is compared with: on another machine only ratios mean the same.
    pub(super) fn change(&self, now: &Self, figure: &Figure) -> Change {
        let comparable = self.quick == now.quick && (self.machine == now.machine || figure.is_ratio());
        let earlier = self.figures.iter().find(|earlier| earlier.id == figure.id);
        let Some(earlier) = earlier.filter(|_| comparable) else { return Change::None };
        match figure.change(earlier) {
            (factor, _) if !factor.is_finite() => Change::None,
            (factor, false) => Change::Same(factor),
            (factor, true) => {
                let less = factor < 1.0;
                if less == (figure.better == super::figures::Better::Less) {
                    Change::Better(factor)
                } else {
                    Change::Worse(factor)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::Better;
    use super::*;

    fn results(better: Better, unit: &str, values: &[f64]) -> Results {
        let figures = vec![Figure::new("a", "a", unit, better, values).unwrap()];
        Results { figures, ..Results::new(false, 3) }
    }

    #[test]
    fn a_change_is_good_or_bad_by_its_direction() {
        let before = results(Better::Less, "×", &[1.0, 1.1]);
        let change = |now: &Results| before.change(now, &now.figures[0]);
        assert!(matches!(change(&results(Better::Less, "×", &[2.0])), Change::Worse(_)));
        assert!(matches!(change(&results(Better::Less, "×", &[0.5])), Change::Better(_)));
        assert!(matches!(change(&results(Better::More, "×", &[2.0])), Change::Better(_)));
        assert!(matches!(change(&results(Better::Less, "×", &[1.05])), Change::Same(_)));
    }

    #[test]
    fn what_means_something_else_is_not_compared() {
        let before = results(Better::Less, "ns", &[100.0]);
        let mut now = results(Better::Less, "ns", &[200.0]);
        assert!(matches!(before.change(&now, &now.figures[0]), Change::Worse(_)));
        now.quick = true;
        assert_eq!(before.change(&now, &now.figures[0]), Change::None);
        let mut elsewhere = results(Better::Less, "ns", &[100.0]);
        elsewhere.machine = serde_json::from_str(
            r#"{"cpu":"other","cores":1,"memory_gib":1,"kernel":"1","virtual_machine":false}"#,
        )
        .unwrap();
        let now = results(Better::Less, "ns", &[200.0]);
        assert_eq!(elsewhere.change(&now, &now.figures[0]), Change::None);
    }

    #[test]
    fn what_is_written_is_read() {
        let path = std::env::temp_dir().join(format!("althing-bench-baseline-{}.json", std::process::id()));
        let before = results(Better::Less, "×", &[1.0, 1.1]);
        before.write(&path).unwrap();
        let read = Results::read(&path).unwrap().unwrap();
        assert_eq!((read.figures, read.machine), (before.figures, before.machine));
        fs::remove_file(&path).unwrap();
        assert!(Results::read(&path).unwrap().is_none());
    }
}
