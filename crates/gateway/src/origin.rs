//! Who asks, and under which address we were reached.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use crate::app::{App, Config};
use crate::base_url::{BaseUrl, Scheme};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The address under which the caller reached us.
    pub base_url: BaseUrl,
    /// The caller's own address; `None` where the listener does not say.
    pub address: Option<IpAddr>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(app.config.caller(parts))
    }
}

impl Config {
    /// Reads who asks from a request's head. Headers of a proxy count only where the configuration trusts them.
    pub(crate) fn caller(&self, parts: &Parts) -> Caller {
        Caller { base_url: self.base_url(parts), address: self.address(parts) }
    }

    fn base_url(&self, parts: &Parts) -> BaseUrl {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let scheme = parts.extensions.get::<Scheme>().copied().unwrap_or(Scheme::Http);
        let forwarded = || {
            let scheme = match header(&parts.headers, &FORWARDED_PROTO) {
                Some("https") => Scheme::Https,
                Some("http") => Scheme::Http,
                _ => scheme,
            };
            let host = header(&parts.headers, &FORWARDED_HOST).or(header(&parts.headers, &HOST))?;
            BaseUrl::new(scheme, host).ok()
        };
        let direct = || {
            // HTTP/2 has the host in the request line.
            let host = parts.uri.authority().map(|a| a.as_str()).or(header(&parts.headers, &HOST))?;
            BaseUrl::new(scheme, host).ok()
        };
        let found = if self.trust_forwarded { forwarded().or_else(direct) } else { direct() };
        found.or_else(|| self.own_addresses.first().cloned()).unwrap_or_else(|| {
            BaseUrl::new(scheme, "localhost").unwrap_or_else(|_| unreachable!("a constant, valid host"))
        })
    }

    fn address(&self, parts: &Parts) -> Option<IpAddr> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        if !self.trust_forwarded {
            return peer;
        }
        // The last entry is the one that the proxy next to us wrote; those before it are anybody's words.
        let forwarded = parts.headers.get_all(FORWARDED_FOR).iter().next_back();
        let last = forwarded.and_then(|v| v.to_str().ok()).and_then(|v| v.rsplit(',').next());
        last.and_then(|text| text.trim().parse().ok()).or(peer)
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?;
    // Proxies in a row make a list; the first entry is what the client asked for.
    value.split(',').next().map(str::trim).filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::testing;

    fn parts(scheme: Scheme, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::get("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        parts.extensions.insert(scheme);
        parts.extensions.insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1234))));
        parts
    }

    #[test]
    fn without_a_public_url_the_host_header_counts() {
        let config = testing::config();
        let head = parts(Scheme::Https, &[("host", "192.0.2.7:8443"), ("x-forwarded-host", "evil.example")]);
        let caller = config.caller(&head);
        assert_eq!(caller.base_url.to_string(), "https://192.0.2.7:8443");
        assert_eq!(caller.address, Some(IpAddr::from([192, 0, 2, 1])));
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        let config = Config { trust_forwarded: true, ..testing::config() };
        let head = parts(
            Scheme::Http,
            &[
                ("host", "10.0.0.1:8080"),
                ("x-forwarded-host", "meet.example.org"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-for", "203.0.113.9, 198.51.100.4"),
            ],
        );
        let caller = config.caller(&head);
        assert_eq!(caller.base_url.to_string(), "https://meet.example.org");
        assert_eq!(caller.address, Some(IpAddr::from([198, 51, 100, 4])));
    }

    #[test]
    fn a_configured_public_url_is_what_everybody_is_told() {
        let public_url = Some("https://meet.example.org".parse().unwrap());
        let config = Config { public_url, ..testing::config() };
        assert_eq!(
            config.caller(&parts(Scheme::Http, &[("host", "localhost:8080")])).base_url.to_string(),
            "https://meet.example.org"
        );
    }

    #[test]
    fn a_host_that_is_none_is_not_passed_on() {
        let config = testing::config();
        let head = parts(Scheme::Http, &[("host", "a b/c@d")]);
        assert_eq!(config.caller(&head).base_url, config.own_addresses[0]);
    }
}
