//! The tests of other files once more, over two units: whoever takes part cannot tell the difference.
#![allow(clippy::duplicate_mod, reason = "each file brings the harness, as it does on its own")]

#[path = "allocation.rs"]
mod allocation;
#[path = "backup.rs"]
mod backup;
#[path = "forwarding.rs"]
mod forwarding;
#[path = "red.rs"]
mod red;
#[path = "rooms.rs"]
mod rooms;
#[path = "svc.rs"]
mod svc;
