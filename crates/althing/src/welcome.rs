//! What a person is told when the program runs.

use std::io::{IsTerminal, Write};

use gateway::Scheme;

use crate::config::{Config, LogFormat, Role};
use crate::data_dir::DataDir;
use crate::roles::Addresses;

/// Says where to go: to people in words, to programs as a line of the log.
pub(crate) fn say(config: &Config, data: &DataDir, addresses: &Addresses) {
    let opened = |wanted| addresses.listening.iter().find(|(s, _)| *s == wanted).map(|(_, a)| a.to_string());
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        http = opened(Scheme::Http),
        https = opened(Scheme::Https),
        media_ports = ?addresses.media_ports,
        "running"
    );
    let for_people = match config.log_format {
        LogFormat::Json => false,
        LogFormat::Text => true,
        LogFormat::Auto => std::io::stdout().is_terminal(),
    };
    if for_people && config.has(Role::Gateway) {
        // Nobody reads it: not worth stopping for.
        let _ = write!(std::io::stdout(), "{}", text(config, data, addresses));
    }
}

fn text(config: &Config, data: &DataDir, addresses: &Addresses) -> String {
    let mut lines =
        vec![String::new(), format!("  Althing {} is running.", env!("CARGO_PKG_VERSION")), String::new()];
    if let Some(url) = &config.public_url {
        lines.push(format!("  Open                 {url}"));
    }
    if let Some(url) = &addresses.here {
        lines.push(format!("  On this computer     {url}"));
    }
    for url in &addresses.lan {
        lines.push(format!("  On your network      {url}"));
    }
    if !addresses.lan.is_empty() && config.tls.is_none() {
        lines.push("                       (self-signed certificate: browsers warn once)".to_owned());
    }
    if let Some(ports) = ports(&addresses.media_ports) {
        lines.push(format!("  Media                {ports} (UDP and TCP, for the firewall)"));
    }
    lines.push(format!("  Data                 {}", data.path().display()));
    lines.push("  Stop with Ctrl-C".to_owned());
    lines.push(String::new());
    lines.push(String::new());
    lines.join("\n")
}

/// The ports of the media units. None: there is no unit.
fn ports(ports: &[u16]) -> Option<String> {
    let (first, last) = (*ports.first()?, *ports.last()?);
    if ports.len() > 1 && ports.iter().copied().eq(first..=last) {
        return Some(format!("ports {first} to {last}"));
    }
    let all: Vec<_> = ports.iter().map(u16::to_string).collect();
    Some(format!("port{} {}", if all.len() == 1 { "" } else { "s" }, all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_said_as_a_firewall_wants_them() {
        let said = |list: &[u16]| ports(list).unwrap_or_default();
        assert_eq!(said(&[]), "");
        assert_eq!(said(&[43210]), "port 43210");
        assert_eq!(said(&[43210, 43211, 43212]), "ports 43210 to 43212");
        assert_eq!(said(&[5000, 7000]), "ports 5000, 7000");
    }
}
