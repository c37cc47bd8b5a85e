//! Althing: video conferencing that an organisation runs itself.
//!
//! The program: command line, configuration, and the roles it starts. No logic of a conference is here.

mod addresses;
mod cli;
mod commands;
mod config;
mod data_dir;
mod listen;
mod logging;
mod media_metrics;
mod project_key;
mod roles;
mod signals;
mod tls;
mod welcome;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match cli::parse() {
        cli::Command::Serve(options) => commands::serve::run(&options),
        cli::Command::ConfigPrint(options) => commands::config_print::run(&options),
        cli::Command::ConfigCheck(options) => commands::config_check::run(&options),
        cli::Command::KeyShow(options) => commands::key_show::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", in_words(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes; those that it already quotes are not said twice.
fn in_words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if words.is_empty() {
            words = cause;
        } else if !words.contains(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words
}
