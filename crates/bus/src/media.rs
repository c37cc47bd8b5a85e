//! What the control role and forwarding units say to each other; the words are in `model::unit`.

use model::UnitId;
use model::unit::{Answer, Offer, OfferError, UnitCommand, UnitFact};
use serde::{Deserialize, Serialize};

use crate::{Command, Fact, Request};

impl Request for Offer {
    type Reply = Result<Answer, OfferError>;
}

impl Command for UnitCommand {}
impl Fact for UnitFact {}

/// What a unit says of itself, each second and when it starts; published at [`crate::Address::Units`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UnitReport {
    /// Which.
    pub unit: UnitId,
    /// Peers now.
    pub peers: u32,
    /// Peers that it takes at most.
    pub peers_max: u32,
    /// Share of one core used in the last second, 0 to 1.
    pub load: f32,
}

impl Fact for UnitReport {}
