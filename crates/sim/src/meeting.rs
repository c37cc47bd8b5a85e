//! A room, as far as a unit notices: who is offered what, which sources are bound to which slots, who left.
//!
//! Everybody is shown everybody else's camera and microphone, each on a slot of its own, which it keeps until it ends.

use model::unit::{Answer, Source, UnitCommand};
use model::{MediaKind, MeetingId, Mid, PeerId};

/// One person of a room.
#[derive(Debug)]
struct Member {
    peer: PeerId,
    /// What others can be shown.
    sources: Vec<(MediaKind, Source)>,
    /// Where others can be shown, in the order of the m-lines.
    slots: Vec<Slot>,
    /// How large others are shown, in physical pixels; `None`: never said.
    tile: Option<(u16, u16)>,
}

#[derive(Debug)]
struct Slot {
    kind: MediaKind,
    mid: Mid,
    shows: Option<Source>,
}

/// The people of one room that are there now.
#[derive(Debug)]
pub struct Meeting {
    /// Which.
    pub id: MeetingId,
    members: Vec<Member>,
}

impl Meeting {
    /// An empty room.
    pub fn new(id: MeetingId) -> Self {
        Self { id, members: Vec::new() }
    }

    /// An offer was answered: this one is there.
    pub fn joined(&mut self, peer: PeerId, answer: &Answer, tile: Option<(u16, u16)>) -> Vec<UnitCommand> {
        self.members.retain(|m| m.peer != peer);
        let sources = answer.published.iter().map(|p| (p.kind, Source { peer, mid: p.mid })).collect();
        let slots = answer.slots.iter().map(|s| Slot { kind: s.kind, mid: s.mid, shows: None }).collect();
        self.members.push(Member { peer, sources, slots, tile });
        self.bind()
    }

    /// Somebody left.
    pub fn left(&mut self, peer: PeerId) -> Vec<UnitCommand> {
        self.members.retain(|m| m.peer != peer);
        let mut commands = vec![UnitCommand::Close { peer }];
        commands.extend(self.bind());
        commands
    }

    /// Slots whose source has gone are freed; sources without a slot get the first that is free.
    fn bind(&mut self) -> Vec<UnitCommand> {
        let sources: Vec<(MediaKind, Source)> =
            self.members.iter().flat_map(|m| m.sources.iter().copied()).collect();
        self.members.iter_mut().flat_map(|member| member.bind(&sources)).collect()
    }
}

impl Member {
    fn bind(&mut self, sources: &[(MediaKind, Source)]) -> Vec<UnitCommand> {
        let (peer, tile) = (self.peer, self.tile);
        let mut commands = Vec::new();
        let gone = |shown: &Source| !sources.iter().any(|(_, source)| source == shown);
        for slot in self.slots.iter_mut().filter(|s| s.shows.as_ref().is_some_and(gone)) {
            slot.shows = None;
            commands.push(UnitCommand::Bind { peer, slot: slot.mid, source: None, home: None, rid: None });
        }
        for (kind, source) in sources.iter().filter(|(_, source)| source.peer != peer) {
            if self.slots.iter().any(|s| s.shows == Some(*source)) {
                continue;
            }
            let free = |s: &&mut Slot| s.kind == *kind && s.shows.is_none();
            let Some(slot) = self.slots.iter_mut().find(free) else { continue };
            slot.shows = Some(*source);
            commands.push(UnitCommand::Bind {
                peer,
                slot: slot.mid,
                source: Some(*source),
                home: None,
                rid: None,
            });
            if let (MediaKind::Video, Some((width, height))) = (*kind, tile) {
                commands.push(UnitCommand::Resize { peer, slot: slot.mid, width, height });
            }
        }
        commands
    }
}
