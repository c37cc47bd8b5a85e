//! Results for programs: one JSON object a line, behind those of earlier runs.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// Appends results to the file, which is made if it is not there. No path: nothing is wanted.
pub(crate) fn append<T: Serialize>(path: Option<&Path>, results: &[T]) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let file = File::options().create(true).append(true).open(path);
    let mut file = file.with_context(|| format!("--json {}", path.display()))?;
    for result in results {
        writeln!(file, "{}", serde_json::to_string(result)?)?;
    }
    Ok(())
}
