//! Rules for every text: length, words that promise work, tests that do not run, paths of one machine.

use super::Problem;

/// A file of code with more lines is split by idea before it sets hard.
const LINES_MAX: usize = 800;

/// Endings of files that people write as code.
const CODE: &[&str] = &[".rs", ".ts", ".tsx", ".mjs", ".js", ".css", ".py", ".sh"];

/// Words of unfinished work. Split, so that this file does not find itself.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

/// Tests that do not run, run alone, or wait by the clock.
const LAZY_TESTS: &[&str] = &[
    concat!("#[ig", "nore"),
    concat!(".on", "ly("),
    concat!("test.sk", "ip("),
    concat!("it.sk", "ip("),
    concat!("describe.sk", "ip("),
    concat!("test.fix", "me("),
    concat!("waitFor", "Timeout("),
];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
];

/// Checks one file.
pub(super) fn check(file: &str, content: &str) -> Vec<Problem> {
    if is_foreign(file) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let is_code = CODE.iter().any(|ending| file.ends_with(ending));
    let lines = content.lines().count();
    if is_code && lines > LINES_MAX {
        problems.push(Problem::of_file(file, format!("{lines} lines; split by idea before {LINES_MAX}")));
    }
    for (index, line) in content.lines().enumerate() {
        let found = line_problems(line, is_code);
        problems.extend(found.into_iter().map(|text| Problem::at(file, index + 1, text)));
    }
    problems
}

/// Generated, recorded or made by others: not ours to write better.
fn is_foreign(file: &str) -> bool {
    let folders = ["/generated/", "/corpus/", "/recorded/", "/transcripts/"];
    let names = ["Cargo.lock", "package-lock.json", "LICENSE-APACHE"];
    folders.iter().any(|folder| file.contains(folder)) || names.iter().any(|name| file.ends_with(name))
}

fn line_problems(line: &str, is_code: bool) -> Vec<String> {
    let mut problems = Vec::new();
    for word in UNFINISHED.iter().filter(|word| has_word(line, word)) {
        problems.push(format!("`{word}`: do it now, or write an issue"));
    }
    if is_code {
        for needle in LAZY_TESTS.iter().filter(|needle| line.contains(**needle)) {
            problems.push(format!("`{needle}`: every test runs, and none waits by the clock"));
        }
    }
    for path in MACHINE_PATHS.iter().filter(|path| begins_path(line, path)) {
        problems.push(format!("`{path}` is a path of one machine"));
    }
    problems
}

/// Whether the line has the word with nothing of a word around it.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|s| s.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|s| s.chars().next());
        let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !in_word(before) && (word.ends_with('(') || !in_word(after))
    })
}

/// Whether an absolute path begins so in this line. `example.org/work/` and `./work/` are others.
fn begins_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|s| s.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "._-~/$})*".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(file: &str, content: &str) -> Vec<String> {
        check(file, content).into_iter().map(|problem| problem.to_string()).collect()
    }

    #[test]
    fn a_long_file_is_refused_unless_generated() {
        let long = "x\n".repeat(LINES_MAX + 1);
        assert_eq!(
            texts("crates/a/src/b.rs", &long),
            ["crates/a/src/b.rs: 801 lines; split by idea before 800"]
        );
        assert!(texts("web/packages/wire/src/generated/a.ts", &long).is_empty());
        assert!(texts("docs/a.md", &long).is_empty());
    }

    #[test]
    fn promises_of_work_are_refused() {
        let line = concat!("// TO", "DO: later");
        assert_eq!(texts("a.rs", line).len(), 1);
        assert_eq!(texts("a.md", line).len(), 1);
        assert!(texts("a.rs", "let mastodon = TODOS;").is_empty());
    }

    #[test]
    fn tests_that_do_not_run_are_refused() {
        for needle in LAZY_TESTS {
            assert_eq!(texts("a.spec.ts", needle).len(), 1, "{needle}");
        }
        assert!(texts("a.md", concat!("never write #[ig", "nore]")).is_empty());
    }

    #[test]
    fn paths_of_one_machine_are_refused() {
        assert_eq!(texts("a.md", concat!("see /ro", "ot/x")).len(), 1);
        assert_eq!(texts("a.rs", concat!("\"/ho", "me/me/x\"")).len(), 1);
        assert!(texts("a.md", "https://example.org/home/x and ./work/x").is_empty());
    }
}
