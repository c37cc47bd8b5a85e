//! What the options mean: read once, into types that cannot be wrong.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;

use gateway::BaseUrl;
use tracing_subscriber::EnvFilter;

use super::layers::{Layers, LoadError, Setting};

/// Units of one program. More than a machine has cores makes no sense.
const UNITS_MAX: u16 = 256;

/// What the program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Gateway,
    Meet,
    Control,
    Media,
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "gateway" => Ok(Role::Gateway),
            "meet" => Ok(Role::Meet),
            "control" => Ok(Role::Control),
            "media" => Ok(Role::Media),
            _ => Err(()),
        }
    }
}

/// How to write the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people on a terminal, for programs elsewhere.
    Auto,
    Text,
    Json,
}

/// A certificate of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// The configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    pub(crate) http: Option<SocketAddr>,
    pub(crate) https: Option<SocketAddr>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) public_url: Option<BaseUrl>,
    pub(crate) trust_forwarded: bool,
    pub(crate) media_port: u16,
    pub(crate) advertise: Vec<IpAddr>,
    pub(crate) roles: Vec<Role>,
    pub(crate) units: u16,
    pub(crate) room_unit_peers: NonZeroU32,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
}

impl Config {
    /// Reads the values.
    ///
    /// # Errors
    /// The first value that means nothing, with where it comes from and what is expected.
    pub(crate) fn read(layers: &Layers) -> Result<Self, LoadError> {
        let optional_path = |name| text(layers.get(name)).map(PathBuf::from);
        let tls = match (optional_path("tls-cert"), optional_path("tls-key")) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (None, None) => None,
            _ => {
                return Err(LoadError::Together(
                    "tls-cert and tls-key belong together: give both or neither",
                ));
            }
        };
        let config = Self {
            data_dir: optional_path("data-dir").unwrap_or_default(),
            http: address(layers.get("http"))?,
            https: address(layers.get("https"))?,
            tls,
            public_url: optional(layers.get("public-url"), "URL", "write https://meet.example.org")?,
            trust_forwarded: required(layers.get("trust-forwarded"), "truth value", "write true or false")?,
            media_port: required(layers.get("media-port"), "port", "write a number up to 65535")?,
            advertise: all(layers.get("advertise-ip"), "IP address", "write 192.0.2.7 or 2001:db8::7")?,
            roles: all(layers.get("role"), "role", "there are gateway, meet, control and media")?,
            units: units(layers.get("units"))?,
            room_unit_peers: required(
                layers.get("room-unit-peers"),
                "number of people",
                "write a number from 1",
            )?,
            log: filter(layers.get("log"))?,
            log_format: log_format(layers.get("log-format"))?,
        };
        if config.roles.is_empty() {
            return Err(LoadError::Together("no role is left to do: leave out `role` for all"));
        }
        let last_port = u32::from(config.media_port) + u32::from(config.units) - 1;
        if config.has(Role::Media) && last_port > u32::from(u16::MAX) {
            return Err(LoadError::Together(
                "media-port leaves no port for some of the units: choose a lower one, or fewer units",
            ));
        }
        if config.roles.contains(&Role::Gateway) && config.http.is_none() && config.https.is_none() {
            return Err(LoadError::Together("http and https are both off: nobody could come in"));
        }
        Ok(config)
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

fn text(setting: &Setting) -> Option<&str> {
    // Given twice, the last one counts, as everywhere on command lines.
    setting.values.last().map(String::as_str).filter(|text| !text.is_empty())
}

fn wrong(setting: &Setting, value: &str, what: &'static str, hint: impl Into<String>) -> LoadError {
    LoadError::Value { origin: setting.origin.clone(), value: value.to_owned(), what, hint: hint.into() }
}

fn optional<T: FromStr>(setting: &Setting, what: &'static str, hint: &str) -> Result<Option<T>, LoadError> {
    text(setting).map(|text| text.parse().map_err(|_| wrong(setting, text, what, hint))).transpose()
}

fn required<T: FromStr>(setting: &Setting, what: &'static str, hint: &str) -> Result<T, LoadError> {
    let text = text(setting).unwrap_or_default();
    text.parse().map_err(|_| wrong(setting, text, what, hint))
}

fn all<T: FromStr>(setting: &Setting, what: &'static str, hint: &str) -> Result<Vec<T>, LoadError> {
    setting.values.iter().map(|text| text.parse().map_err(|_| wrong(setting, text, what, hint))).collect()
}

fn address(setting: &Setting) -> Result<Option<SocketAddr>, LoadError> {
    let text = text(setting).unwrap_or("off");
    if text == "off" {
        return Ok(None);
    }
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    let local = local.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let hint = "write an IP address and a port such as 127.0.0.1:8080, or off";
    local.or_else(|| text.parse().ok()).map(Some).ok_or_else(|| wrong(setting, text, "address", hint))
}

fn units(setting: &Setting) -> Result<u16, LoadError> {
    if text(setting) == Some("auto") {
        // By affinity and by quota: a container that may use two cores of sixteen has two.
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        return Ok(u16::try_from(cores).unwrap_or(UNITS_MAX).min(UNITS_MAX));
    }
    let hint = format!("write a number from 1 to {UNITS_MAX}, or auto for one for each core");
    let units = required(setting, "number of units", &hint)?;
    if (1..=UNITS_MAX).contains(&units) {
        Ok(units)
    } else {
        Err(wrong(setting, &units.to_string(), "number of units", hint))
    }
}

fn filter(setting: &Setting) -> Result<String, LoadError> {
    let text = text(setting).unwrap_or("info");
    let hint = "write error, warn, info, debug or trace, or filters such as info,gateway=debug";
    EnvFilter::try_new(text).map_err(|_| wrong(setting, text, "log filter", hint))?;
    Ok(text.to_owned())
}

fn log_format(setting: &Setting) -> Result<LogFormat, LoadError> {
    match text(setting).unwrap_or("auto") {
        "auto" => Ok(LogFormat::Auto),
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(wrong(setting, other, "log format", "write text, json or auto")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Options;

    fn read(flags: &[(&'static str, &str)], env: &[(&str, &str)]) -> Result<Config, LoadError> {
        let values = flags.iter().map(|(name, value)| (*name, vec![(*value).to_owned()])).collect();
        let options = Options { file: None, values };
        let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Config::read(&Layers::load(&options, env)?)
    }

    fn error(flags: &[(&'static str, &str)], env: &[(&str, &str)]) -> String {
        read(flags, env).unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_a_program_that_works() {
        let config = read(&[], &[]).unwrap();
        assert!(config.http.unwrap().ip().is_loopback(), "plain HTTP for this machine only");
        assert_eq!(config.https, Some(SocketAddr::from(([0, 0, 0, 0], 8443))));
        let cores = std::thread::available_parallelism().unwrap().get();
        assert_eq!((config.media_port, config.units.into(), config.roles.len()), (43210, cores, 4));
        assert_eq!(config.room_unit_peers.get(), 500);
        assert_eq!((config.log.as_str(), config.log_format), ("info", LogFormat::Auto));
    }

    #[test]
    fn the_command_line_comes_before_the_environment() {
        let env = [("ALTHING_MEDIA_PORT", "5000"), ("ALTHING_ADVERTISE_IP", "192.0.2.1, 2001:db8::1")];
        let config = read(&[("media-port", "6000")], &env).unwrap();
        assert_eq!((config.media_port, config.advertise.len()), (6000, 2));
        assert_eq!(read(&[], &env).unwrap().media_port, 5000);
        assert_eq!(read(&[], &[("RUST_LOG", "debug")]).unwrap().log, "debug");
        let both = [("RUST_LOG", "debug"), ("ALTHING_LOG", "warn")];
        assert_eq!(read(&[], &both).unwrap().log, "warn");
    }

    #[test]
    fn a_value_that_means_nothing_says_where_it_is_and_what_to_write() {
        assert_eq!(
            error(&[("http", "8080")], &[]),
            "--http: \"8080\" is no address; write an IP address and a port such as 127.0.0.1:8080, or off"
        );
        assert_eq!(
            error(&[], &[("ALTHING_MEDIA_PORT", "70000")]),
            "ALTHING_MEDIA_PORT: \"70000\" is no port; write a number up to 65535"
        );
        assert_eq!(
            error(&[("role", "sfu")], &[]),
            "--role: \"sfu\" is no role; there are gateway, meet, control and media"
        );
        assert_eq!(
            error(&[("units", "0")], &[]),
            "--units: \"0\" is no number of units; write a number from 1 to 256, or auto for one for each core"
        );
        assert_eq!(
            error(&[("room-unit-peers", "0")], &[]),
            "--room-unit-peers: \"0\" is no number of people; write a number from 1"
        );
        assert_eq!(
            error(&[("public-url", "meet.example.org")], &[]),
            "--public-url: \"meet.example.org\" is no URL; write https://meet.example.org"
        );
        assert_eq!(
            error(&[("advertise-ip", "localhost")], &[]),
            "--advertise-ip: \"localhost\" is no IP address; write 192.0.2.7 or 2001:db8::7"
        );
        assert!(error(&[("log", "gateway=loud")], &[]).starts_with("--log: "));
        assert!(error(&[("log-format", "xml")], &[]).contains("write text, json or auto"));
        assert!(error(&[("trust-forwarded", "yes")], &[]).contains("write true or false"));
    }

    #[test]
    fn values_that_do_not_go_together_are_refused() {
        assert!(error(&[("tls-cert", "a.pem")], &[]).contains("give both or neither"));
        assert!(error(&[("http", "off"), ("https", "off")], &[]).contains("nobody could come in"));
        read(&[("http", "off"), ("https", "off"), ("role", "media")], &[]).unwrap();
        let ports = |port| read(&[("media-port", port), ("units", "3")], &[]);
        assert_eq!(ports("65533").unwrap().units, 3);
        assert!(ports("65534").unwrap_err().to_string().contains("fewer units"));
        assert_eq!(
            read(&[("http", "localhost:81")], &[]).unwrap().http,
            Some(SocketAddr::from(([127, 0, 0, 1], 81)))
        );
    }
}
