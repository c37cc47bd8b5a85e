//! The table of `docs/performance.md`, from the baseline of the benchmarks.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::repo::Repo;

/// The page whose table is written here.
pub(super) const PAGE: &str = "docs/performance.md";
/// Where `make bench BENCH=--write-baseline` puts its results.
const BASELINE: &str = "docs/benchmarks/baseline.json";
/// What stands around the table.
const BEGIN: &str = "<!-- figures: written by `cargo xtask codegen` from benchmarks/baseline.json -->\n";
const END: &str = "<!-- end of figures -->";

/// As much of the results as the table shows.
#[derive(Deserialize)]
struct Results {
    machine: Machine,
    rounds: usize,
    figures: Vec<Figure>,
}

#[derive(Deserialize)]
struct Machine {
    cpu: String,
    cores: usize,
    memory_gib: f64,
    kernel: String,
    virtual_machine: bool,
}

#[derive(Deserialize)]
struct Figure {
    id: String,
    text: String,
    unit: String,
    better: String,
    goal: Option<f64>,
    median: f64,
    min: f64,
    max: f64,
    #[serde(default)]
    notes: Vec<String>,
}

/// The page with the table as the baseline has it.
pub(super) fn page(repo: &Repo) -> Result<String> {
    let results = serde_json::from_str(&repo.read(BASELINE)?).with_context(|| BASELINE.to_owned())?;
    with_table(&repo.read(PAGE)?, &table(&results)?)
}

/// Puts the table between its marks.
fn with_table(page: &str, table: &str) -> Result<String> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.with_context(|| format!("{PAGE} has no place for its figures: {BEGIN}"))?;
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

fn table(results: &Results) -> Result<String> {
    ensure!(!results.figures.is_empty(), "{BASELINE} has no figures");
    let Machine { cpu, cores, memory_gib, kernel, virtual_machine } = &results.machine;
    let kind = if *virtual_machine { ", a virtual machine" } else { "" };
    let mut out = format!(
        "{cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}{kind}; the median of {} rounds.\n",
        results.rounds
    );
    let mut group = "";
    for figure in &results.figures {
        let own = figure.id.split('.').next().unwrap_or_default();
        if own != group {
            group = own;
            write!(out, "\n**{group}**\n\n| figure | median | spread | goal |\n|---|--:|--:|---|\n")?;
        }
        let Figure { text, unit, better, goal, median, min, max, .. } = figure;
        let goal = goal.map_or_else(String::new, |goal| {
            let (sign, met) =
                if better == "less" { ("≤", *median <= goal) } else { ("≥", *median >= goal) };
            format!("{sign} {}: {}", number(goal), if met { "met" } else { "**missed**" })
        });
        let notes = figure.notes.iter().fold(String::new(), |all, note| format!("{all}; {note}"));
        writeln!(
            out,
            "| {text}{notes} | {} {unit} | {}–{} | {goal} |",
            number(*median),
            number(*min),
            number(*max)
        )?;
    }
    Ok(out)
}

/// Three or four digits that mean something.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULTS: &str = r#"{
        "machine": {"cpu": "A processor", "cores": 2, "memory_gib": 24, "kernel": "6.12", "virtual_machine": true},
        "rounds": 3,
        "figures": [
            {"id": "cpu.a", "text": "Althing over limit", "unit": "×", "better": "less", "goal": 1.3,
             "median": 1.234, "min": 1.2, "max": 1.35},
            {"id": "saturation.a", "text": "packets/s", "unit": "packets/s", "better": "more", "goal": 2000.0,
             "median": 1234.5, "min": 1000.0, "max": 1300.0, "notes": ["a round failed"]}
        ]
    }"#;

    #[test]
    fn the_table_lies_between_its_marks() {
        let results = serde_json::from_str(RESULTS).unwrap();
        let page =
            with_table(&format!("above\n{BEGIN}old\n{END}\nbelow\n"), &table(&results).unwrap()).unwrap();
        for part in [
            "above\n",
            "A processor, 2 cores, 24 GiB, Linux 6.12, a virtual machine; the median of 3 rounds.",
            "**cpu**\n\n| figure | median | spread | goal |\n",
            "| Althing over limit | 1.23 × | 1.20–1.35 | ≤ 1.30: met |",
            "| packets/s; a round failed | 1234 packets/s | 1000–1300 | ≥ 2000: **missed** |",
            "\nbelow\n",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(!page.contains("old"));
        assert_eq!(with_table(&page, &table(&results).unwrap()).unwrap(), page, "twice gives the same");
    }

    #[test]
    fn a_page_without_a_place_is_an_error() {
        assert!(with_table("text", "table").is_err());
    }
}
