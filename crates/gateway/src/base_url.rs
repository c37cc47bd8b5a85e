use std::fmt;
use std::str::FromStr;

use axum::http::Uri;
use axum::http::uri::Authority;

/// How a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    const fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// Where a server is reached: scheme, host and port, without a path (`https://meet.example.org:8443`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    scheme: Scheme,
    /// Lower case, without the scheme's own port.
    authority: String,
}

/// Why a text is no base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected http:// or https://, a host, and no path: https://meet.example.org")]
pub struct ParseBaseUrlError;

impl BaseUrl {
    /// From a scheme and a host with or without port.
    ///
    /// # Errors
    /// The host is none.
    pub fn new(scheme: Scheme, host: &str) -> Result<Self, ParseBaseUrlError> {
        let authority: Authority = host.parse().map_err(|_| ParseBaseUrlError)?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(ParseBaseUrlError);
        }
        let own_port = match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        let host = authority.host().to_ascii_lowercase();
        let authority = match authority.port_u16() {
            Some(port) if port != own_port => format!("{host}:{port}"),
            Some(_) | None => host,
        };
        Ok(Self { scheme, authority })
    }

    /// Its scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host, and port where it is not the scheme's own.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The same place for a WebSocket, with this path.
    pub(crate) fn web_socket(&self, path: &str) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "ws",
            Scheme::Https => "wss",
        };
        format!("{scheme}://{}{path}", self.authority)
    }
}

impl FromStr for BaseUrl {
    type Err = ParseBaseUrlError;

    fn from_str(text: &str) -> Result<Self, ParseBaseUrlError> {
        let uri: Uri = text.parse().map_err(|_| ParseBaseUrlError)?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(ParseBaseUrlError),
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(ParseBaseUrlError);
        }
        Self::new(scheme, uri.authority().ok_or(ParseBaseUrlError)?.as_str())
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_in_one_way() {
        let written = |text: &str| text.parse::<BaseUrl>().map(|u| u.to_string());
        assert_eq!(written("https://Meet.Example.org/"), Ok("https://meet.example.org".to_owned()));
        assert_eq!(written("https://meet.example.org:443"), Ok("https://meet.example.org".to_owned()));
        assert_eq!(written("http://[::1]:8080"), Ok("http://[::1]:8080".to_owned()));
        for text in
            ["", "meet.example.org", "ftp://a", "https://", "https://a/b", "https://a?b", "https://u@a"]
        {
            assert_eq!(written(text), Err(ParseBaseUrlError), "{text}");
        }
    }

    #[test]
    fn a_web_socket_is_at_the_same_place() {
        let url: BaseUrl = "https://a.example:8443".parse().unwrap();
        assert_eq!(url.web_socket("/x"), "wss://a.example:8443/x");
    }
}
