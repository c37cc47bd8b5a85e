//! `althing config check`: whether `serve` would start with this configuration, as far as can be told without starting
//! it.

use std::io::Write;

use anyhow::Context;

use crate::cli::Options;
use crate::data_dir::DataDir;
use crate::tls;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let config = crate::config::load(options)?;
    DataDir::check(&config.data_dir)?;
    if let Some(files) = &config.tls {
        tls::own_files(files).context("the certificate cannot be used")?;
    }
    writeln!(std::io::stdout(), "The configuration is fine.")?;
    Ok(())
}
