//! The selective forwarding unit: peers, tracks, encodings, receive slots, fan-out. Sans-I/O and single-threaded; one
//! unit per core, nothing shared.
//!
//! A pass of a unit has phases: the shell hands over a batch of datagrams ([`Unit::handle_datagram`]), then expired
//! timers ([`Unit::handle_timeout`]), then lets it send on what came ([`Unit::forward`]), then sends the
//! [`Unit::outbox`]. Only peers with work are touched.

mod allocate;
mod backup;
mod capture;
mod choice;
mod choose;
mod commands;
mod cost;
mod counters;
mod demand;
mod fanout;
mod history;
mod ingest;
mod keyframe;
mod pacer;
mod peer;
mod periodic;
mod plan;
mod probe;
mod relay;
mod slot;
mod speakers;
mod svc;
#[cfg(test)]
mod tests_time;
mod timeline;
mod timer_wheel;
mod track;
mod unit;

pub use allocate::Rung;
pub use counters::Counters;
pub use plan::{LayerChange, Plan, PlannedSlot};
pub use unit::{Config, Unit};
