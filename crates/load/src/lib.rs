//! Load generator: real WebRTC clients on real sockets over the public API.
//!
//! Publishers and receivers join one meeting as any application's clients do: Meet's guest endpoint or a platform
//! participant, `/join`, WebSocket, offer, `request_stream`. Each has a UDP socket of its own and speaks ICE and
//! DTLS-SRTP through `str0m`, an implementation that shares no code with the server's media plane above ICE and DTLS.
//!
//! Signalling is a task per client. Packets are not: one thread (or a few) takes them from all sockets, counts them by
//! their RTP headers and gives `str0m` what it needs.

pub mod args;
pub mod histogram;
pub mod http;
mod janus;
pub mod media;
pub mod process;
pub mod report;
pub mod run;
mod signal;
pub mod source;
pub mod stats;
