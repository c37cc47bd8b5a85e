//! Listeners: opened before anything else starts, so that a port in use is the first thing that is said.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;

/// How long the head of a request may take to come: whoever is slower holds sockets open on purpose.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why nobody can come in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error("{address} is in use by another program; stop it, or choose another address with --{option}")]
    InUse { address: SocketAddr, option: &'static str },
    #[error(
        "{address} may not be opened: ports below 1024 need a privilege (CAP_NET_BIND_SERVICE); choose another with --{option}"
    )]
    Forbidden { address: SocketAddr, option: &'static str },
    #[error("{address} is no address of this machine; choose another with --{option}")]
    NotOurs { address: SocketAddr, option: &'static str },
    #[error("{address} cannot be opened: {source}; choose another with --{option}")]
    Other { address: SocketAddr, option: &'static str, source: io::Error },
}

/// Opens an address; `option` is what it was configured with.
pub(crate) async fn bind(address: SocketAddr, option: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse { address, option },
        io::ErrorKind::PermissionDenied => ListenError::Forbidden { address, option },
        io::ErrorKind::AddrNotAvailable => ListenError::NotOurs { address, option },
        _ => ListenError::Other { address, option, source },
    })
}

/// Answers requests of a listener until the handle says stop.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    router: Router,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = Server::<SocketAddr>::from_listener(listener).acceptor(NoDelayAcceptor).handle(handle);
    let timer = TokioTimer::new();
    let http = server.http_builder();
    http.http1().timer(timer.clone()).header_read_timeout(HEADER_TIMEOUT);
    http.http2().timer(timer).keep_alive_interval(HEADER_TIMEOUT);
    match tls {
        Some(tls) => server.map(|tcp| RustlsAcceptor::new(tls).acceptor(tcp)).serve(service).await,
        None => server.serve(service).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_cannot_be_opened_says_why_and_what_to_do() {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let taken = bind(free, "http").await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind(address, "http").await.unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{address} is in use by another program; stop it, or choose another address with --http")
        );
        let error = bind(SocketAddr::from(([192, 0, 2, 1], 0)), "https").await.unwrap_err().to_string();
        assert!(error.contains("is no address of this machine") && error.contains("--https"), "{error}");
    }
}
