//! `althing-load`: see `--help`.

use clap::Parser;
use load::args::Args;

fn main() -> std::process::ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Args::parse().plan().and_then(load::run::run) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            eprintln!("althing-load: {error:#}");
            std::process::ExitCode::from(2)
        }
    }
}
