//! The TOML file. A key that no option has is an error: a misspelt option that does nothing costs an evening.

use std::io;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::layers::{Origin, Setting};
use super::spec::{SPECS, Spec};

/// A key this similar to an option's is taken for a slip of the fingers (1 is the same, 0 has nothing in common).
const SIMILAR: f64 = 0.75;

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("the configuration file {path} cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}:{line}: {message}")]
    Syntax { path: PathBuf, line: usize, message: String },
    #[error("{path}:{line}: unknown key `{key}`{suggestion}")]
    UnknownKey { path: PathBuf, line: usize, key: String, suggestion: String },
    #[error("{path}:{line}: {key}: expected {expected}")]
    Kind { path: PathBuf, line: usize, key: String, expected: &'static str },
}

/// Reads the file's settings.
pub(crate) fn read(path: &Path) -> Result<Vec<Setting>, FileError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Vec<Setting>, FileError> {
    let line_of = |at: usize| text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| FileError::Syntax {
        path: path.to_owned(),
        line: line_of(error.span().map_or(0, |s| s.start)),
        message: error.message().to_owned(),
    })?;
    let mut settings = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        let name = key.get_ref().to_string();
        let spec = SPECS.iter().find(|spec| spec.toml() == name).ok_or_else(|| FileError::UnknownKey {
            path: path.to_owned(),
            line,
            key: name.clone(),
            suggestion: suggestion(&name),
        })?;
        let wrong = |expected| FileError::Kind { path: path.to_owned(), line, key: name.clone(), expected };
        let values = values(spec, value.get_ref()).map_err(wrong)?;
        let origin = Origin::File { path: path.to_owned(), line, key: name.clone() };
        settings.push(Setting { spec, values, origin });
    }
    Ok(settings)
}

fn values(spec: &Spec, value: &DeValue<'_>) -> Result<Vec<String>, &'static str> {
    match value {
        DeValue::Array(items) if spec.many => {
            items.iter().map(|item| scalar(item.get_ref()).ok_or("a list of texts")).collect()
        }
        _ => scalar(value).map(|text| vec![text]).ok_or("a text, a number, true or false"),
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn suggestion(key: &str) -> String {
    let key = key.to_lowercase().replace('-', "_");
    let near = SPECS
        .iter()
        .map(|spec| (strsim::jaro_winkler(&spec.toml(), &key), spec))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match near {
        Some((_, spec)) => format!("; did you mean `{}`?", spec.toml()),
        None => "; `althing config print` lists all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(Path::new("althing.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn values_are_read_with_their_line() {
        let text = "# ours\nmedia_port = 5000\n\nrole = [\"media\", \"control\"]\ntrust_forwarded = true\n";
        let settings = parse(Path::new("althing.toml"), text).unwrap();
        let mut found: Vec<_> = settings.iter().map(|s| (s.origin.to_string(), s.values.join("+"))).collect();
        found.sort();
        let expected = [
            ("althing.toml:2: media_port", "5000"),
            ("althing.toml:4: role", "media+control"),
            ("althing.toml:5: trust_forwarded", "true"),
        ];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn a_key_that_no_option_has_is_named_with_its_line() {
        assert_eq!(
            error("http = \"off\"\nmedia_prot = 1\n"),
            "althing.toml:2: unknown key `media_prot`; did you mean `media_port`?"
        );
        assert_eq!(
            error("data-dir = \"x\""),
            "althing.toml:1: unknown key `data-dir`; did you mean `data_dir`?"
        );
        assert_eq!(
            error("colour = \"red\""),
            "althing.toml:1: unknown key `colour`; `althing config print` lists all"
        );
        assert_eq!(
            error("\n[gateway]\nx = 1"),
            "althing.toml:2: unknown key `gateway`; `althing config print` lists all"
        );
    }

    #[test]
    fn what_is_no_toml_or_no_value_is_named_with_its_line() {
        assert!(error("a = 1\nb = = 2").starts_with("althing.toml:2: "), "{}", error("a = 1\nb = = 2"));
        assert_eq!(error("http = [\"a\"]"), "althing.toml:1: http: expected a text, a number, true or false");
        assert_eq!(error("role = [1.5]"), "althing.toml:1: role: expected a list of texts");
    }
}
