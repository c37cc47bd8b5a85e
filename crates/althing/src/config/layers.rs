//! Values as they were written, and where. What they mean is read in `values`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::file::{self, FileError};
use super::spec::{SPECS, Spec};
use crate::cli::Options;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Flag(&'static str),
    /// An environment variable.
    Env(String),
    /// A line of the file.
    File { path: PathBuf, line: usize, key: String },
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(name) => write!(f, "--{name}"),
            Origin::Env(name) => f.write_str(name),
            Origin::File { path, line, key } => write!(f, "{}:{line}: {key}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A value of an option, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) spec: &'static Spec,
    pub(crate) values: Vec<String>,
    pub(crate) origin: Origin,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{origin}: {value:?} is no {what}; {hint}")]
    Value { origin: Origin, value: String, what: &'static str, hint: String },
    #[error("{0}")]
    Together(&'static str),
}

/// All options with the values that count.
#[derive(Debug)]
pub(crate) struct Layers(Vec<Setting>);

impl Layers {
    /// Puts the sources over each other; `env` reads the environment.
    pub(crate) fn load(options: &Options, env: impl Fn(&str) -> Option<String>) -> Result<Self, LoadError> {
        let path = options.file.clone().or_else(|| env("ALTHING_CONFIG").map(PathBuf::from));
        let file = path.as_deref().map(|path: &Path| file::read(path)).transpose()?.unwrap_or_default();
        let settings = SPECS.iter().map(|spec| {
            let flag = || {
                let values = options.values.get(spec.name)?.clone();
                Some((values, Origin::Flag(spec.name)))
            };
            let variable = || {
                let text = env(&spec.env()).or_else(|| env(traditional(spec)?))?;
                Some((list(spec, &text), Origin::Env(spec.env())))
            };
            let in_file = || {
                file.iter().find(|s| s.spec.name == spec.name).map(|s| (s.values.clone(), s.origin.clone()))
            };
            let default = || (list(spec, spec.default), Origin::Default);
            let (values, origin) = flag().or_else(variable).or_else(in_file).unwrap_or_else(default);
            Setting { spec, values, origin }
        });
        Ok(Self(settings.collect()))
    }

    /// All settings, in the order of the help.
    pub(crate) fn settings(&self) -> &[Setting] {
        &self.0
    }

    pub(crate) fn get(&self, name: &'static str) -> &Setting {
        static MISSING: Setting = Setting {
            spec: &Spec { name: "", value_name: "", many: false, default: "", help: "" },
            values: Vec::new(),
            origin: Origin::Default,
        };
        self.0.iter().find(|s| s.spec.name == name).unwrap_or(&MISSING)
    }
}

/// The variable that programs of this kind have for the same thing.
fn traditional(spec: &Spec) -> Option<&'static str> {
    (spec.name == "log").then_some("RUST_LOG")
}

fn list(spec: &Spec, text: &str) -> Vec<String> {
    if spec.many {
        text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
    } else if text.is_empty() {
        Vec::new()
    } else {
        vec![text.to_owned()]
    }
}
