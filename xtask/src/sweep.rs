//! Simulated meetings over many seeds: builds the simulator for speed and hands everything on to it.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::repo::Repo;

/// Runs the simulator.
pub(crate) fn run(repo: &Repo, arguments: &[&str]) -> Result<()> {
    let status = Command::new("cargo")
        .args(["run", "--release", "--locked", "--quiet", "--package", "sim", "--bin", "althing-sim", "--"])
        .args(arguments)
        .current_dir(repo.path("."))
        .status()
        .context("cargo does not run")?;
    if !status.success() {
        bail!("some seeds fail");
    }
    Ok(())
}
