//! Results for people.

use super::baseline::{Change, Results};
use super::figures::{Figure, significant};

/// One figure, on one line and one more for each note.
pub(super) fn line(figure: &Figure, change: Change) -> String {
    let text = &figure.text;
    let value = format!("{} {}", number(figure.median), figure.unit);
    let spread = format!("{}–{}", number(figure.min), number(figure.max));
    let goal = match (figure.goal, figure.meets_goal()) {
        (Some(goal), Some(met)) => format!("goal {}: {}", number(goal), if met { "met" } else { "MISSED" }),
        _ => String::new(),
    };
    let percent = |factor: f64| format!("{:+.0} %", (factor - 1.0) * 100.0);
    let change = match change {
        Change::None => String::new(),
        Change::Same(_) => "as before".to_owned(),
        Change::Better(factor) => format!("better, {}", percent(factor)),
        Change::Worse(factor) => format!("WORSE, {}", percent(factor)),
    };
    let tail = [goal, change].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    let mut line = format!("  {text:<72}{value:>20}  {spread:<20}{tail}").trim_end().to_owned();
    for note in &figure.notes {
        line += &format!("\n    ! {note}");
    }
    line
}

/// All ratios and goals again, at the end, where they are looked for.
pub(super) fn summary(now: &Results, before: Option<&Results>) -> String {
    let mut text = String::from("Ratios and goals (median, min–max)\n");
    for figure in now.figures.iter().filter(|figure| figure.is_ratio() || figure.goal.is_some()) {
        let change = before.map_or(Change::None, |before| before.change(now, figure));
        text += &line(figure, change);
        text += "\n";
    }
    text
}

fn number(value: f64) -> String {
    let value = significant(value);
    if value.abs() >= 10_000.0 {
        // Thousands apart.
        let digits = format!("{value:.0}");
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) && !grouped.ends_with('-') {
                grouped.push(' ');
            }
            grouped.push(digit);
        }
        grouped
    } else {
        let decimals = if value.abs() >= 100.0 { 0 } else { 2 };
        format!("{value:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::Better;
    use super::*;

    #[test]
    fn a_line_says_value_spread_goal_and_change() {
        let figure = Figure::new("a", "Althing over limit", "×", Better::Less, &[1.2, 1.4, 1.3]).unwrap();
        let mut figure = figure.with_goal(1.25);
        figure.notes.push("the generator was the limit".to_owned());
        let line = line(&figure, Change::Worse(1.1));
        for part in
            ["Althing over limit", "1.30 ×", "1.20–1.40", "goal 1.25: MISSED; WORSE, +10 %", "! the gen"]
        {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn numbers_are_as_long_as_they_are_worth() {
        let numbers = [1.231_1, 123.4, 9_999.0, 1_234_567.0, -20_000.0].map(number);
        assert_eq!(numbers, ["1.23", "123", "9999", "1 235 000", "-20 000"]);
    }
}
