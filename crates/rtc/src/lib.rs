//! A sans-I/O WebRTC server endpoint: SDP answers, ICE-lite, DTLS-SRTP, RTP, RTCP, retransmission.
//!
//! It is what a forwarding unit needs of WebRTC and nothing else: it always answers and never offers, it is always
//! ICE-lite and the DTLS server, and it never touches a payload.

mod bandwidth;
pub mod bwe;
mod clock;
pub mod dtls;
mod endpoint;
pub mod ice;
pub mod payload;
mod receive;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
mod send;
pub mod srtp;

pub use bandwidth::Bandwidth;
pub use clock::NtpClock;
pub use dtls::Identity;
pub use endpoint::{Endpoint, Entropy, Event, FailReason, Feedback, Local, Loss};
pub use receive::{Carried, Received, RtpOutcome};
pub use send::WriteRtp;
