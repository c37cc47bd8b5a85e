//! What a gateway counts. Names carry the prefix `althing_gateway_`; units are in the names.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds that a request may take, in the steps that are counted: from a look into the store to a stuck one.
const REQUEST_SECONDS: [f64; 8] = [0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 5.0, 10.0];

/// Handles to everything that is counted; clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histogram,
    pub(crate) meetings_created: Counter,
    pub(crate) participants_created: Counter,
    pub(crate) sockets: Gauge,
    pub(crate) sockets_opened: Counter,
    sockets_closed: Family<CloseLabels, Counter>,
    pub(crate) messages_in: Counter,
    pub(crate) messages_out: Counter,
    pub(crate) bad_messages: Counter,
    pub(crate) seconds_connected: Counter<f64, AtomicU64>,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CloseLabels {
    reason: Closed,
}

/// Why a socket was closed.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the label's values are the variants' names")]
pub(crate) enum Closed {
    /// The client closed it on purpose.
    left,
    /// The client went away without a word, or with the browser's "going away".
    lost,
    /// Nothing was heard of the client for too long.
    silent,
    /// The client did not read what it was sent.
    slow,
    /// The client did not prove who it is.
    unauthenticated,
    /// The meeting is full, or the service is not ready.
    refused,
    /// The client sent too much that cannot be used.
    abusive,
    /// The room said so: removed, ended, replaced.
    ended,
    /// The program stops.
    restart,
}

impl Metrics {
    /// Puts everything into the registry.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            request_seconds: Histogram::new(REQUEST_SECONDS),
            meetings_created: Counter::default(),
            participants_created: Counter::default(),
            sockets: Gauge::default(),
            sockets_opened: Counter::default(),
            sockets_closed: Family::default(),
            messages_in: Counter::default(),
            messages_out: Counter::default(),
            bad_messages: Counter::default(),
            seconds_connected: Counter::default(),
        };
        let m = &metrics;
        let to = registry.sub_registry_with_prefix("althing_gateway");
        to.register("requests", "HTTP requests answered, by route and status", m.requests.clone());
        to.register("request_seconds", "Time to answer an HTTP request", m.request_seconds.clone());
        to.register("meetings_created", "Meetings made", m.meetings_created.clone());
        to.register("participants_created", "Participants made", m.participants_created.clone());
        to.register("sockets", "WebSockets open now", m.sockets.clone());
        to.register("sockets_opened", "WebSockets opened", m.sockets_opened.clone());
        to.register("sockets_closed", "WebSockets closed, by reason", m.sockets_closed.clone());
        to.register("messages_in", "WebSocket messages from clients", m.messages_in.clone());
        to.register("messages_out", "WebSocket messages to clients", m.messages_out.clone());
        to.register("bad_messages", "WebSocket messages answered with an error here", m.bad_messages.clone());
        to.register("socket_seconds", "Time that closed WebSockets were open", m.seconds_connected.clone());
        metrics
    }

    /// Counts an answered request. The route is a template, so that there are few.
    pub(crate) fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = RequestLabels { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    /// Counts a closed socket.
    pub(crate) fn closed(&self, reason: Closed, after: Duration) {
        self.sockets_closed.get_or_create(&CloseLabels { reason }).inc();
        self.seconds_connected.inc_by(after.as_secs_f64());
    }
}
