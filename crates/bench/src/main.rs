//! `althing-bench`: see `--help`, and `docs/benchmarks`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark reads clocks, waits for processes, and looks for free ports"
)]

mod json;
mod limit;
mod micro;
mod suite;
mod units;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The program's allocator, so that what is compared differs in nothing else.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Althing against what the machine allows, and against Janus.
#[derive(Debug, Parser)]
#[command(name = "althing-bench", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the benchmarks and print ratios
    Run(suite::Args),
    /// Encrypt and send, and nothing else: what the machine allows
    Limit(limit::Args),
    /// What single steps of the packet path cost
    Micro(micro::Args),
    /// One room on one forwarding unit, or on several
    Units(units::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Run(args) => suite::run(args),
        Command::Limit(args) => limit::run(&args),
        Command::Micro(args) => micro::run(&args),
        Command::Units(args) => units::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("althing-bench: {error:#}");
            ExitCode::from(2)
        }
    }
}
