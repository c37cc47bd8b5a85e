//! The room engine: who may be where, what they publish, who receives what.
//!
//! One [`Room`] is the state of one meeting, sans-I/O: everything that happens goes in by a `handle_*` method together
//! with the time, everything that is to be done comes out of [`Room::poll_effect`], and [`Room::poll_timeout`] says when
//! [`Room::handle_timeout`] is due. The shell (the `control` role) carries effects out in their order.
//!
//! Nothing that a person wrote (profile, chat) is logged, persisted, or part of an error's text.

mod bucket;
mod chat;
mod coalesce;
mod effect;
mod facts;
mod homes;
mod intents;
mod join;
mod line_up;
mod offers;
mod participant;
mod placement;
mod reply;
mod requests;
mod room;
mod roster;
mod seats;
mod slots;
mod snapshot;
mod speakers;
mod stage;
mod streams;

pub use effect::{Effect, OfferToken, Recipient, RoomFact};
pub use join::{Join, JoinError};
pub use offers::OfferFailure;
pub use participant::{GRACE, Home, WAITING_INTENTS_MAX, WAITING_OFFERS_MAX};
pub use placement::{NoPlace, Placement, PlacementReason, RoomUnit, UnitLoad, place};
pub use room::{Config, EMPTY_ROOM_TIME, Entropy, Now, Room};
pub use seats::PRODUCER;
pub use snapshot::{SavedParticipant, SavedSeat, SavedSlot, SavedStream, Snapshot};
pub use stage::{AUDIO_SEATS, Seat, VIDEO_SEATS};
