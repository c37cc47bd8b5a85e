//! The rules of this repository that no compiler knows. Each rule is a pure function over text, says what is wrong in
//! which line, and is seen failing by a test beside it.

mod imports;
mod links;
mod manifests;
mod purity;
mod text;

use std::fmt;

use anyhow::{Result, bail};

use crate::repo::Repo;

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    file: String,
    /// From 1; 0: the file as a whole.
    line: usize,
    text: String,
}

impl Problem {
    fn of_file(file: &str, text: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 0, text: text.into() }
    }

    fn at(file: &str, line: usize, text: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.text),
            line => write!(f, "{}:{line}: {}", self.file, self.text),
        }
    }
}

/// Checks every rule; fails with all that was found.
pub(crate) fn run(repo: &Repo) -> Result<()> {
    let files = repo.files()?;
    let mut problems = Vec::new();
    for file in &files {
        // What is not UTF-8 is a picture or a sound.
        let Ok(content) = std::fs::read_to_string(repo.path(file)) else { continue };
        problems.extend(text::check(file, &content));
        problems.extend(purity::check(file, &content));
        problems.extend(manifests::check(file, &content));
        problems.extend(links::check(file, &content, |path| repo.path(path).exists()));
    }
    problems.extend(manifests::check_names(&files));
    let metadata = repo.output("cargo", &["metadata", "--format-version", "1", "--locked"])?;
    problems.extend(imports::check(&imports::Graph::of_metadata(&metadata)?));

    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("tidy: {} problems in {} files", problems.len(), files.len());
    }
    println!("tidy: {} files are in order", files.len());
    Ok(())
}
