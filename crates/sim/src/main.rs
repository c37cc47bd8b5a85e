//! `althing-sim`: runs scenarios over many seeds, and shows one of them closely.
#![expect(clippy::disallowed_methods, reason = "a program says how long it took")]

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use sim::{Scenario, judge, scenario};

/// Failing seeds of a scenario that are listed one by one.
const LISTED_MAX: usize = 50;

/// Runs simulated meetings over many seeds and lists those in which somebody notices what they should not.
#[derive(Debug, Parser)]
#[command(name = "althing-sim")]
struct Arguments {
    /// Only this scenario; else all of them.
    #[arg(long)]
    scenario: Option<String>,
    /// How many seeds of each.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this seed, with what everybody noticed.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// With one seed: all datagrams, commands and facts.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Units that the rooms are spread over; else what the scenario says.
    #[arg(long)]
    units: Option<usize>,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// List the scenarios.
    #[arg(long)]
    list: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let scenarios = match &arguments.scenario {
        Some(name) => vec![scenario::by_name(name).with_context(|| format!("no scenario is called {name}"))?],
        None => scenario::all(),
    };
    let over = |scenario: Scenario| match arguments.units {
        Some(units) => scenario.over(units),
        None => scenario,
    };
    let scenarios: Vec<Scenario> = scenarios.into_iter().map(over).collect();
    let mut all_well = true;
    for scenario in &scenarios {
        if arguments.list {
            println!("{:18} {}", scenario.name, scenario.about);
        } else if let Some(seed) = arguments.seed {
            all_well &= show(scenario, seed, arguments.trace)?;
        } else {
            all_well &= sweep(scenario, &arguments);
        }
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One seed, closely.
fn show(scenario: &Scenario, seed: u64, trace: bool) -> Result<bool> {
    let verdict = judge(scenario, seed, trace);
    let mut out = std::io::stdout().lock();
    for line in &verdict.run.lines {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{} seed {seed}: hash {:016x}", scenario.name, verdict.run.hash)?;
    let drawn = scenario.of_seed(seed).drawn;
    if !drawn.is_empty() {
        writeln!(out, "  {drawn}")?;
    }
    for (person, report) in scenario.people.iter().zip(&verdict.run.people) {
        writeln!(out, "  {}", sim::oracle::describe(person.name, report))?;
    }
    for counters in &verdict.run.counters {
        writeln!(out, "  unit {counters:?}")?;
    }
    if verdict.run.batches_dropped > 0 {
        writeln!(out, "  {} batches dropped between units", verdict.run.batches_dropped)?;
    }
    for failure in &verdict.failures {
        writeln!(out, "  FAILED {failure}")?;
    }
    Ok(verdict.failures.is_empty())
}

/// Many seeds; the failing ones with their cause.
fn sweep(scenario: &Scenario, arguments: &Arguments) -> bool {
    let began = Instant::now();
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from.saturating_add(arguments.seeds);
    let failed: Mutex<Vec<(u64, String)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let mut failures = judge(scenario, seed, false).failures;
                    if let (Some(cause), Ok(mut failed)) = (failures.drain(..).next(), failed.lock()) {
                        failed.push((seed, cause));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap_or_default();
    failed.sort_unstable();
    let took = began.elapsed();
    println!(
        "{:18} {} of {} seeds are well ({:.1} %), {took:.1?}, {:.0} ms a seed and thread",
        scenario.name,
        arguments.seeds - failed.len() as u64,
        arguments.seeds,
        100.0 * (1.0 - failed.len() as f64 / arguments.seeds.max(1) as f64),
        took.as_secs_f64() * 1e3 * arguments.threads as f64 / arguments.seeds.max(1) as f64,
    );
    for (seed, cause) in failed.iter().take(LISTED_MAX) {
        let drawn = scenario.of_seed(*seed).drawn;
        let drawn = if drawn.is_empty() { drawn } else { format!(" ({drawn})") };
        println!("  seed {seed}{drawn}: {cause}");
    }
    if failed.len() > LISTED_MAX {
        println!("  … and {} more", failed.len() - LISTED_MAX);
    }
    failed.is_empty()
}
