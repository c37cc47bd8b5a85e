//! What people and programs notice of a room, told as stories.

#[path = "../common/mod.rs"]
mod common;

mod chat;
mod demand;
mod endings;
mod limits;
mod offers;
mod reconnection;
mod requests;
mod restart;
mod roster;
mod stage;
mod unit;
mod units;
