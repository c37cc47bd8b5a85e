//! The command line. Its options are those of `config::spec`; what they mean is read there, once for all sources.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command as Clap};

use crate::config::SPECS;

/// What was given on the command line.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// `--config`.
    pub(crate) file: Option<PathBuf>,
    /// Values by option.
    pub(crate) values: BTreeMap<&'static str, Vec<String>>,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    Serve(Options),
    ConfigPrint(Options),
    ConfigCheck(Options),
    KeyShow(Options),
}

/// Reads the command line; ends the program where it asks for help or cannot be read.
pub(crate) fn parse() -> Command {
    let matches = command().get_matches();
    read(&matches)
        .unwrap_or_else(|| command().error(clap::error::ErrorKind::MissingSubcommand, "what?").exit())
}

fn read(matches: &ArgMatches) -> Option<Command> {
    match matches.subcommand()? {
        ("serve", matches) => Some(Command::Serve(options(matches))),
        ("config", matches) => match matches.subcommand()? {
            ("print", matches) => Some(Command::ConfigPrint(options(matches))),
            ("check", matches) => Some(Command::ConfigCheck(options(matches))),
            _ => None,
        },
        ("key", matches) => match matches.subcommand()? {
            ("show", matches) => Some(Command::KeyShow(options(matches))),
            _ => None,
        },
        _ => None,
    }
}

fn options(matches: &ArgMatches) -> Options {
    let given = |name: &'static str| -> Option<Vec<String>> {
        Some(matches.get_many::<String>(name)?.cloned().collect())
    };
    let values = SPECS.iter().filter_map(|spec| Some((spec.name, given(spec.name)?))).collect();
    Options { file: matches.get_one::<PathBuf>("config").cloned(), values }
}

fn command() -> Clap {
    Clap::new("althing")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Video conferencing that you run yourself.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with_options(Clap::new("serve").about("Run the server")))
        .subcommand(
            Clap::new("config")
                .about("Look at the configuration")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand(with_options(
                    Clap::new("print").about("Print every option, its value, and where that comes from"),
                ))
                .subcommand(with_options(
                    Clap::new("check").about("Check the configuration without starting anything"),
                )),
        )
        .subcommand(
            Clap::new("key")
                .about("The key of the built-in project, for your own backend")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand(with_options(Clap::new("show").about("Say where it is and how to use it"))),
        )
}

fn with_options(mut command: Clap) -> Clap {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("A TOML file with any of these options (`media_port = 43210`) [env: ALTHING_CONFIG]");
    command = command.arg(file);
    for spec in SPECS {
        let default =
            if spec.default.is_empty() { String::new() } else { format!(" [default: {}]", spec.default) };
        let help = format!("{} [env: {}]{default}", spec.help, spec.env());
        let action = if spec.many { ArgAction::Append } else { ArgAction::Set };
        let arg = Arg::new(spec.name).long(spec.name).value_name(spec.value_name).help(help).action(action);
        command = command.arg(arg);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn options_are_read_by_name() {
        let line =
            ["althing", "serve", "--config", "a.toml", "--role", "media", "--role", "control", "--http=off"];
        let matches = command().get_matches_from(line);
        let Some(Command::Serve(options)) = read(&matches) else { panic!("no serve") };
        assert_eq!(options.file, Some(PathBuf::from("a.toml")));
        assert_eq!(options.values["role"], ["media", "control"]);
        assert_eq!(options.values["http"], ["off"]);
        assert!(!options.values.contains_key("https"));
    }
}
