//! The tests of other files once more, over two units: whoever takes part cannot tell the difference.

#[path = "allocation.rs"]
mod allocation;
#[path = "forwarding.rs"]
mod forwarding;
#[path = "rooms.rs"]
mod rooms;
#[path = "svc.rs"]
mod svc;
