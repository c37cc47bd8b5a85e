//! The order of people in which every client chooses its large picture and its small ones.
//!
//! The seats of the stage cannot be that: whoever has one keeps it, so that a change of speaker costs two key frames.

use std::time::Duration;

use model::ParticipantId;
use wire::ServerMessage;

use crate::coalesce::Coalesce;
use crate::participant::Participant;
use crate::stage::{Performer, VIDEO_SEATS};
use crate::{Now, Room};

/// One large, seven small, and one in place of the receiver, who is not shown to itself.
const PEOPLE_MAX: usize = VIDEO_SEATS as usize + 1;

/// Between two sendings: cameras can be switched faster than anybody looks, and this goes to everybody. A change of
/// speaker after a while without changes is sent at once.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// Who is to be seen, and whether clients know.
#[derive(Debug, Default)]
pub(crate) struct LineUp {
    people: Vec<ParticipantId>,
    pub(crate) sending: Coalesce,
}

impl LineUp {
    pub(crate) fn message(&self) -> ServerMessage {
        ServerMessage::Stage { people: self.people.clone() }
    }
}

impl Room {
    /// Brings the order up to date with those who could be on stage, which are in the order of arrival.
    pub(crate) fn line_up(&mut self, now: Now, performers: &[Performer]) {
        let people = order(self.stage.spoke(), performers);
        if people != self.line_up.people {
            self.line_up.people = people;
            self.line_up.sending.mark(now.at, INTERVAL_MIN);
        }
    }

    pub(crate) fn send_line_up(&mut self) {
        let to = self.participants.values().filter_map(Participant::hello_socket).collect();
        let message = self.line_up.message();
        self.deliver_all(to, message);
    }
}

/// Whoever spoke is there, camera or not: a voice without a picture still is who speaks.
fn order(spoke: &[ParticipantId], performers: &[Performer]) -> Vec<ParticipantId> {
    let silent = || performers.iter().filter(|p| !spoke.contains(&p.who));
    let seen = silent().filter(|p| p.is_seen);
    let unseen = silent().filter(|p| !p.is_seen);
    spoke.iter().copied().chain(seen.chain(unseen).map(|p| p.who)).take(PEOPLE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(n: u8) -> ParticipantId {
        ParticipantId::from_bytes([n; 16])
    }

    #[test]
    fn who_spoke_comes_first_then_cameras_then_the_rest() {
        let performer = |n: u8| Performer { who: person(n), sounds: true, is_seen: n.is_multiple_of(2) };
        let performers: Vec<_> = (1..=12).map(performer).collect();
        let numbers = |spoke: &[u8]| -> Vec<u8> {
            let spoke: Vec<_> = spoke.iter().map(|n| person(*n)).collect();
            order(&spoke, &performers).iter().map(|who| who.as_bytes()[0]).collect()
        };
        assert_eq!(numbers(&[]), [2, 4, 6, 8, 10, 12, 1, 3, 5]);
        assert_eq!(numbers(&[9, 4]), [9, 4, 2, 6, 8, 10, 12, 1, 3]);
        let all: Vec<u8> = (1..=12).rev().collect();
        assert_eq!(numbers(&all), all[..9], "by who spoke last");
    }
}
