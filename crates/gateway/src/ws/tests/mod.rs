//! The socket as a client sees it.

mod entering;
mod harness;
mod leaving;
mod messages;
mod transcripts;
