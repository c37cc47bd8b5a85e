//! `althing serve`: runs the server until it is told to stop.

use anyhow::Context;

use crate::cli::Options;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::roles::Program;
use crate::signals::Signals;
use crate::{logging, welcome};

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let config = crate::config::load(options)?;
    logging::start(&config.log, config.log_format)?;
    // The first one to say so counts; nobody else does.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("the runtime cannot be started")?.block_on(serve(&config))
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let data = DataDir::open(&config.data_dir)?;
    let mut program = Program::start(config, &data).await?;
    welcome::say(config, &data, program.addresses());
    tokio::select! {
        () = signals.stop() => {}
        error = program.failed() => return Err(error),
    }
    tracing::info!("stopping; a second signal ends the program at once");
    tokio::select! {
        () = program.stop() => tracing::info!("stopped"),
        () = signals.stop() => tracing::warn!("stopped at once"),
    }
    Ok(())
}
