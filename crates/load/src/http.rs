//! As much of an HTTP client as the APIs need: one request per connection, JSON in and out.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// A server that takes longer has failed.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two tries where the server says *too many requests*.
const PATIENCE: Duration = Duration::from_secs(1);
/// No answer of the API is as large.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// `http://host:port`, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// As in a `Host` header, and as `connect` takes it.
    authority: String,
}

impl BaseUrl {
    /// Reads an address. Only plain HTTP: a load generator on the same machine or network measures media, and TLS of
    /// the signalling would only add to what it uses itself.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        let Some(rest) = text.strip_prefix("http://") else { bail!("{text:?} does not begin with http://") };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        ensure!(
            !authority.is_empty() && !authority.contains(['/', '?', '#', '@']),
            "{text:?} is not http://host:port"
        );
        let with_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if with_port { authority.to_owned() } else { format!("{authority}:80") };
        Ok(Self { authority })
    }

    /// Connects, for nothing but to see whether and from which address that works.
    pub(crate) async fn connect(&self) -> Result<TcpStream> {
        timeout(REQUEST_TIMEOUT, TcpStream::connect(&self.authority))
            .await
            .map_err(anyhow::Error::from)
            .and_then(|result| result.map_err(anyhow::Error::from))
            .with_context(|| format!("cannot connect to {self}; is the server running?"))
    }

    /// Posts a JSON body and reads the JSON answer.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: String) -> Result<T> {
        self.request(Method::POST, path, body).await
    }

    /// Reads JSON.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.request(Method::GET, path, String::new()).await
    }

    async fn request<T: DeserializeOwned>(&self, method: Method, path: &str, body: String) -> Result<T> {
        let named = format!("{method} {self}{path}");
        let answer = async {
            loop {
                let (status, body) = self.exchange(&method, path, &body).await?;
                if status == StatusCode::TOO_MANY_REQUESTS {
                    // As people do whom a server asks for patience.
                    sleep(PATIENCE).await;
                    continue;
                }
                let text = || String::from_utf8_lossy(&body);
                ensure!(status.is_success(), "{status}: {}", text());
                break serde_json::from_slice(&body).with_context(|| format!("unexpected answer {}", text()));
            }
        };
        timeout(REQUEST_TIMEOUT, answer).await.map_err(anyhow::Error::from).flatten().context(named)
    }

    async fn exchange(&self, method: &Method, path: &str, body: &str) -> Result<(StatusCode, Bytes)> {
        let stream = self.connect().await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_owned())))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok((status, body.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes()))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Answers each connection with the next of these.
    async fn answering(answers: &'static [&'static str]) -> BaseUrl {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = BaseUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        url
    }

    const PATIENCE_ASKED: &str = "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 2\r\n\r\n{}";
    const NUMBER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7";
    const REFUSAL: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nnever";

    #[tokio::test]
    async fn who_is_asked_for_patience_tries_again() {
        let url = answering(&[PATIENCE_ASKED, NUMBER, REFUSAL]).await;
        assert_eq!(url.get::<u32>("/").await.unwrap(), 7);
        let refused = format!("{:#}", url.get::<u32>("/").await.unwrap_err());
        assert!(refused.contains("404 Not Found: never"), "{refused}");
    }

    #[test]
    fn addresses_are_hosts_with_a_port() {
        let parse = |text: &str| BaseUrl::parse(text).map(|url| url.to_string()).ok();
        assert_eq!(parse("http://localhost:8080").as_deref(), Some("http://localhost:8080"));
        assert_eq!(parse("http://localhost/").as_deref(), Some("http://localhost:80"));
        assert_eq!(parse("http://[::1]:8080/").as_deref(), Some("http://[::1]:8080"));
        assert_eq!(parse("http://[::1]").as_deref(), Some("http://[::1]:80"));
        for text in
            ["", "localhost:8080", "https://localhost", "http://", "http://h/path", "http://u@h", "ws://h"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
