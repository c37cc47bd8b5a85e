//! Configuration: the same options from the command line, the environment, one TOML file, and defaults, in this order.

mod file;
mod layers;
mod spec;
mod values;

pub(crate) use layers::{Layers, LoadError, Setting};
pub(crate) use spec::SPECS;
pub(crate) use values::{Config, LogFormat, Role, TlsFiles};

use crate::cli::Options;

/// Reads everything and checks it.
pub(crate) fn load(options: &Options) -> Result<Config, LoadError> {
    Config::read(&Layers::load(options, |name| std::env::var(name).ok())?)
}
