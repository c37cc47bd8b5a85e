//! What a client's path carries, as the endpoint knows it.

use std::time::Duration;

use model::Bitrate;

/// The bandwidth towards one client.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bandwidth {
    /// What may be sent in all: streams, retransmissions and headers. `None` until something is known.
    pub target: Option<Bitrate>,
    /// Queues or losses have shown in the last seconds that it carries no more. Else the target is what is known to
    /// pass, and more may.
    pub congested: bool,
    /// Round trip of the newest report.
    pub round_trip: Option<Duration>,
    /// Smoothed share of packets that were lost, 0 to 1.
    pub loss: f32,
}
