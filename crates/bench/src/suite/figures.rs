//! What is printed: values of several rounds, with their spread, the goal and the change since the baseline.

use serde::{Deserialize, Serialize};

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Better {
    Less,
    More,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Figure {
    /// Stable: baselines compare by it.
    pub(super) id: String,
    /// For people.
    pub(super) text: String,
    /// `×` for a ratio.
    pub(super) unit: String,
    pub(super) better: Better,
    /// What the project promises itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) goal: Option<f64>,
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// One of each round.
    pub(super) values: Vec<f64>,
    /// What restricts its meaning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<String>,
}

impl Figure {
    /// None without a single value.
    pub(super) fn new(id: &str, text: &str, unit: &str, better: Better, values: &[f64]) -> Option<Self> {
        let values: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let (low, high) = (sorted.get((sorted.len() - 1) / 2)?, sorted.get(sorted.len() / 2)?);
        Some(Self {
            id: id.to_owned(),
            text: text.to_owned(),
            unit: unit.to_owned(),
            better,
            goal: None,
            median: (low + high) / 2.0,
            min,
            max,
            values: values.iter().map(|&value| significant(value)).collect(),
            notes: Vec::new(),
        })
    }

    pub(super) fn with_goal(mut self, goal: f64) -> Self {
        self.goal = Some(goal);
        self
    }

    pub(super) fn is_ratio(&self) -> bool {
        self.unit == "×"
    }

    /// Whether the median is as the goal has it. None: there is no goal.
    pub(super) fn meets_goal(&self) -> Option<bool> {
        self.goal.map(|goal| match self.better {
            Better::Less => self.median <= goal,
            Better::More => self.median >= goal,
        })
    }

    /// The median's change since an earlier figure as a factor, and whether it is more than noise: the two spreads do
    /// not touch.
    pub(super) fn change(&self, earlier: &Self) -> (f64, bool) {
        let factor = if earlier.median == 0.0 { f64::NAN } else { self.median / earlier.median };
        let apart = self.min > earlier.max || self.max < earlier.min;
        (factor, apart && (factor - 1.0).abs() > 0.03)
    }
}

/// The values of one measure over the rounds. A round that failed has none.
#[derive(Debug, Clone, Default)]
pub(super) struct Series(pub(super) Vec<Option<f64>>);

impl Series {
    pub(super) fn push(&mut self, value: Option<f64>) {
        self.0.push(value.filter(|value| value.is_finite()));
    }

    pub(super) fn values(&self) -> Vec<f64> {
        self.0.iter().copied().flatten().collect()
    }

    /// Round by round, where both have a value: what both did in the same minute is compared.
    pub(super) fn over(&self, other: &Self) -> Vec<f64> {
        self.combine(other, |a, b| a / b)
    }

    /// The same as a difference.
    pub(super) fn minus(&self, other: &Self) -> Vec<f64> {
        self.combine(other, |a, b| a - b)
    }

    fn combine(&self, other: &Self, with: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        self.0.iter().zip(&other.0).filter_map(|(a, b)| Some(with((*a)?, (*b)?))).collect()
    }
}

/// Four significant digits, as many as any of this is worth.
pub(super) fn significant(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10f64.powi(3 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[f64]) -> Figure {
        Figure::new("id", "text", "×", Better::Less, values).unwrap()
    }

    #[test]
    fn a_figure_is_the_median_with_its_spread() {
        let of = |values: &[f64]| {
            let figure = figure(values);
            (figure.median, figure.min, figure.max)
        };
        assert_eq!(of(&[3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
        assert_eq!(of(&[4.0, 1.0]), (2.5, 1.0, 4.0));
        assert_eq!(of(&[7.0, f64::NAN]), (7.0, 7.0, 7.0));
        assert_eq!(Figure::new("id", "text", "×", Better::Less, &[]), None);
    }

    #[test]
    fn only_spreads_that_do_not_touch_are_a_change() {
        let before = figure(&[1.0, 1.1, 1.2]);
        assert!(!figure(&[1.15, 1.4, 1.5]).change(&before).1);
        assert!(figure(&[1.3, 1.4, 1.5]).change(&before).1);
        assert!(figure(&[0.8, 0.9, 0.95]).change(&before).1);
        assert!(!figure(&[1.121]).change(&figure(&[1.1])).1, "less than 3 % is nobody's business");
    }

    #[test]
    fn goals_are_met_in_the_direction_that_is_better() {
        assert_eq!(figure(&[1.2]).meets_goal(), None);
        assert_eq!(figure(&[1.2]).with_goal(1.3).meets_goal(), Some(true));
        let more = Figure { better: Better::More, ..figure(&[1.2]).with_goal(1.3) };
        assert_eq!(more.meets_goal(), Some(false));
    }

    #[test]
    fn rounds_are_compared_with_themselves_and_failed_ones_left_out() {
        let (mut ours, mut limit) = (Series::default(), Series::default());
        for (a, b) in [(Some(2.0), Some(1.0)), (None, Some(1.0)), (Some(9.0), Some(3.0)), (Some(1.0), None)] {
            ours.push(a);
            limit.push(b);
        }
        assert_eq!((ours.over(&limit), ours.minus(&limit)), (vec![2.0, 3.0], vec![1.0, 6.0]));
    }

    #[test]
    fn four_digits() {
        assert_eq!(
            (significant(123_456.0), significant(0.012_345_6), significant(0.0)),
            (123_500.0, 0.012_35, 0.0)
        );
    }
}
