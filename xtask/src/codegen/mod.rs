//! Writes what is generated from the Rust types (and a table from the baseline), or checks that it is committed as it would be written.

mod figures;
mod format;
mod metrics;
mod options;
mod reference;
mod types;

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::repo::Repo;

/// Folder of the generated TypeScript.
const TYPESCRIPT: &str = "web/packages/wire/src/generated";
/// Folder of the generated pages.
const REFERENCE: &str = "docs/reference";

/// Writes everything that is generated.
pub(crate) fn write(repo: &Repo) -> Result<()> {
    for (path, text) in generated(repo)? {
        let path = repo.path(&path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            std::fs::write(&path, text)?;
            println!("wrote {}", path.display());
        }
    }
    for path in strays(repo)? {
        std::fs::remove_file(repo.path(&path))?;
        println!("removed {path}");
    }
    Ok(())
}

/// Fails when a generated file is not what would be written now.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    let files = generated(repo)?;
    let stale = files.iter().filter(|(path, text)| {
        std::fs::read_to_string(repo.path(path)).ok().as_deref() != Some(text.as_str())
    });
    let mut stale: Vec<String> = stale.map(|(path, _)| path.clone()).collect();
    stale.extend(strays(repo)?);
    if !stale.is_empty() {
        bail!("not as their sources say; run `cargo xtask codegen` and commit:\n  {}", stale.join("\n  "));
    }
    println!("codegen: {} files are as their sources say", files.len());
    Ok(())
}

/// Every generated file: text by path from the root.
fn generated(repo: &Repo) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for (name, text) in types::files(repo)? {
        files.insert(format!("{TYPESCRIPT}/{name}"), text);
    }
    for (name, text) in reference::files(repo)? {
        files.insert(format!("{REFERENCE}/{name}"), text);
    }
    files.insert(figures::PAGE.to_owned(), figures::page(repo)?);
    Ok(files)
}

/// Files in the folders of generated files that are generated no more.
fn strays(repo: &Repo) -> Result<Vec<String>> {
    let files = generated(repo)?;
    let mut strays = Vec::new();
    for folder in [TYPESCRIPT, REFERENCE] {
        let Ok(entries) = std::fs::read_dir(repo.path(folder)) else { continue };
        for entry in entries {
            let path = format!("{folder}/{}", entry?.file_name().to_string_lossy());
            if !files.contains_key(&path) {
                strays.push(path);
            }
        }
    }
    strays.sort();
    Ok(strays)
}
