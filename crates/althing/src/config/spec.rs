//! Every option, once.

/// An option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spec {
    /// As on the command line: `media-port` for `--media-port`.
    pub(crate) name: &'static str,
    /// What its value is called in the help.
    pub(crate) value_name: &'static str,
    /// May be given several times; in the environment separated by commas, in TOML as a list.
    pub(crate) many: bool,
    /// As it would be written; empty: none, or worked out at the start.
    pub(crate) default: &'static str,
    /// One sentence.
    pub(crate) help: &'static str,
}

impl Spec {
    /// Its environment variable: `ALTHING_MEDIA_PORT`.
    pub(crate) fn env(&self) -> String {
        format!("ALTHING_{}", self.toml().to_uppercase())
    }

    /// Its key in the TOML file: `media_port`.
    pub(crate) fn toml(&self) -> String {
        self.name.replace('-', "_")
    }
}

const fn one(
    name: &'static str,
    value_name: &'static str,
    default: &'static str,
    help: &'static str,
) -> Spec {
    Spec { name, value_name, many: false, default, help }
}

const fn many(
    name: &'static str,
    value_name: &'static str,
    default: &'static str,
    help: &'static str,
) -> Spec {
    Spec { name, value_name, many: true, default, help }
}

/// Every option there is, in the order of the help.
pub(crate) const SPECS: &[Spec] = &[
    one("data-dir", "DIR", "./althing-data", "Folder for everything that must last; made when missing"),
    one("http", "ADDR|off", "127.0.0.1:8080", "Address for plain HTTP: this machine only, or behind a proxy"),
    one("https", "ADDR|off", "0.0.0.0:8443", "Address for HTTPS, which browsers on other machines need"),
    one("tls-cert", "FILE", "", "Certificate chain (PEM); without one, a self-signed certificate is made"),
    one("tls-key", "FILE", "", "Private key of the certificate (PEM)"),
    one(
        "public-url",
        "URL",
        "",
        "The one address that everybody is to use, such as https://meet.example.org",
    ),
    one(
        "trust-forwarded",
        "BOOL",
        "false",
        "Believe X-Forwarded-* headers; only behind a proxy that sets them",
    ),
    one(
        "media-port",
        "PORT",
        "43210",
        "First UDP and TCP port for media: each unit has one, and the firewall must let all of them through",
    ),
    many("advertise-ip", "IP", "", "Address for media that clients are told; default: all of this machine"),
    many(
        "role",
        "ROLE",
        "gateway,meet,control,media",
        "What this program does: gateway, meet, control, media",
    ),
    one(
        "units",
        "N|auto",
        "auto",
        "Media units, each with a thread and a port; auto: one for each core that the program may use",
    ),
    one(
        "room-unit-peers",
        "N",
        "500",
        "People of one room on one unit before the room goes to a further one, though the first has place for more",
    ),
    one("log", "FILTER", "info", "What is logged: error, warn, info, debug, trace, or filters by module"),
    one("log-format", "FORMAT", "auto", "How: text, json, or auto (text on a terminal)"),
];
