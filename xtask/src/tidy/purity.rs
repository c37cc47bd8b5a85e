//! Engines may not opt out of the lints that keep clocks, sockets and sleeping out of them.

use super::Problem;
use super::imports::ENGINES;

/// What an opt-out names.
const LINTS: &[&str] =
    &["clippy::disallowed_methods", "clippy::disallowed_types", "clippy::disallowed-methods"];

/// Checks one file of an engine. Tests may make their one base instant, and what measures an engine reads the clock.
pub(super) fn check(file: &str, content: &str) -> Vec<Problem> {
    let Some(inside) = file.strip_prefix("crates/") else { return Vec::new() };
    let Some((name, path)) = inside.split_once('/') else { return Vec::new() };
    if !ENGINES.contains(&name) || !path.ends_with(".rs") || is_test_file(path) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (index, line) in content.lines().enumerate() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        if LINTS.iter().any(|lint| line.contains(lint)) {
            problems.push(Problem::at(
                file,
                index + 1,
                "an engine is told the time and opens no socket: no opt-out",
            ));
        }
    }
    problems
}

/// Integration tests, and modules that are compiled for tests only by their name.
fn is_test_file(path: &str) -> bool {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
    path.starts_with("tests/")
        || path.starts_with("examples/")
        || path.contains("/tests/")
        || stem.starts_with("tests")
        || stem.ends_with("_tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPT_OUT: &str = "#![expect(clippy::disallowed_methods, reason = \"I want to\")]\n";

    #[test]
    fn an_engine_cannot_opt_out() {
        assert_eq!(check("crates/sfu/src/lib.rs", OPT_OUT).len(), 1);
        assert_eq!(check("crates/rtc/src/dtls.rs", OPT_OUT).len(), 1);
    }

    #[test]
    fn shells_and_tests_can() {
        assert!(check("crates/net/src/lib.rs", OPT_OUT).is_empty());
        assert!(check("crates/sfu/tests/join.rs", OPT_OUT).is_empty());
        assert!(check("crates/rtc/examples/cost.rs", OPT_OUT).is_empty());
        assert!(check("crates/sfu/src/unit/tests.rs", OPT_OUT).is_empty());
        assert!(
            check("crates/sfu/src/lib.rs", &format!("#[cfg(test)]\nmod tests {{\n{OPT_OUT}}}")).is_empty()
        );
    }
}
