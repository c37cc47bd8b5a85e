//! The benchmarks, one group of figures after the other; what is compared runs in turn (A B C A B C), so that what a
//! shared machine does in one minute happens to all.

mod baseline;
mod figures;
mod fourk;
mod groups;
mod machine;
mod print;
mod processes;
mod runs;
mod units;

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;
use net::clock;

use baseline::{Change, Results};
use figures::Figure;
use processes::{Bench, seconds_since};

/// The options of `althing-bench run`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// About two minutes instead of forty: fewer cases, one round, short measurements
    #[arg(long)]
    quick: bool,
    /// How often each case is measured [default: 3, quick 1]
    #[arg(long)]
    rounds: Option<usize>,
    /// Only these groups
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Group>,
    /// Leave Janus out, though it is installed
    #[arg(long)]
    no_janus: bool,
    /// Where to write the results
    #[arg(long, default_value = "target/bench/results.json")]
    json: PathBuf,
    /// Results to compare with
    #[arg(long, default_value = "docs/benchmarks/baseline.json")]
    baseline: PathBuf,
    /// Make these results the ones to compare with
    #[arg(long)]
    write_baseline: bool,
}

/// Groups of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    /// CPU for each forwarded packet
    Cpu,
    /// Packets a second on one core
    Saturation,
    /// Memory of a receiver
    Memory,
    /// Forwarding delay
    Delay,
    /// Many joins at once
    Storm,
    /// Cost with more receivers, tracks, rooms, m-lines
    Growth,
    /// What a second unit adds
    Units,
    /// Three senders of 3840×2160
    Fourk,
    /// Single steps
    Micro,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effort {
    Quick,
    Full,
}

/// Delay needs what saturation found.
const ORDER: [Group; 9] = [
    Group::Micro,
    Group::Cpu,
    Group::Saturation,
    Group::Units,
    Group::Fourk,
    Group::Delay,
    Group::Memory,
    Group::Storm,
    Group::Growth,
];

struct Suite {
    bench: Bench,
    effort: Effort,
    rounds: usize,
    results: Results,
    before: Option<Results>,
    /// What Althing carried at most.
    saturation_pps: Option<f64>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let begin = clock::now();
    let effort = if args.quick { Effort::Quick } else { Effort::Full };
    let rounds = args.rounds.unwrap_or(if args.quick { 1 } else { 3 }).clamp(1, 100);
    let bench = Bench::new(!args.no_janus)?;
    let mut suite = Suite {
        results: Results::new(args.quick, rounds),
        before: Results::read(&args.baseline)?,
        bench,
        effort,
        rounds,
        saturation_pps: None,
    };
    suite.print_head();
    for group in ORDER {
        if !args.only.is_empty() && !args.only.contains(&group) {
            continue;
        }
        println!("\n{group:?}");
        match group {
            Group::Micro => suite.micro(),
            Group::Cpu => suite.cpu(),
            Group::Saturation => suite.saturation(),
            Group::Delay => suite.delay(),
            Group::Memory => suite.memory(),
            Group::Storm => suite.storm(),
            Group::Growth => suite.growth(),
            Group::Units => suite.units(),
            Group::Fourk => suite.fourk(),
        }
    }
    println!("\n{}", print::summary(&suite.results, suite.before.as_ref()));
    suite.results.write(&args.json)?;
    println!(
        "{} figures in {:.0} s; JSON: {}",
        suite.results.figures.len(),
        seconds_since(begin),
        args.json.display()
    );
    if args.write_baseline {
        suite.results.write(&args.baseline)?;
        println!("baseline: {}", args.baseline.display());
    }
    Ok(())
}

impl Suite {
    fn print_head(&self) {
        let (server, load) = self.bench.cores();
        println!("{}", self.results.machine);
        println!("server on core {server}, load on core {load}, {} rounds, over loopback", self.rounds);
        if let Some(busy) = machine::load_average().filter(|busy| *busy > 0.5) {
            println!(
                "! the machine was busy before this began (load {busy:.1}): figures are worse than they need be"
            );
        }
        if !self.bench.has_janus() {
            println!(
                "! Janus is not measured: not installed (Debian: apt-get install janus), left out, or no address for it"
            );
        }
        match &self.before {
            Some(before) if before.machine != self.results.machine => {
                println!("compared with {}: ratios only", before.machine);
            }
            Some(_) => println!("compared with the baseline of this machine"),
            None => println!("there is no baseline to compare with"),
        }
    }

    /// Prints a figure and keeps it. None: no round gave a value.
    fn add(&mut self, figure: Option<Figure>) {
        let Some(figure) = figure else { return };
        let change =
            self.before.as_ref().map_or(Change::None, |before| before.change(&self.results, &figure));
        println!("{}", print::line(&figure, change));
        self.results.figures.push(figure);
    }

    fn folder_file(&self, name: &str) -> PathBuf {
        self.bench.folder().join(name)
    }
}
