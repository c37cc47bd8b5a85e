//! The log, on standard error: text for people on a terminal, JSON lines for programs.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts logging.
pub(crate) fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).context("the log filter cannot be used")?;
    let terminal = std::io::stderr().is_terminal();
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json {
        builder.json().flatten_event(true).with_ansi(false).try_init()
    } else {
        builder.with_ansi(terminal).with_target(false).try_init()
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
