//! A room, as far as a unit notices: who is offered what, which sources are bound to which slots, who left.
//!
//! Everybody is shown everybody else's camera and microphone, each on a slot of its own, which it keeps until it ends.

use model::unit::{Answer, Source, UnitCommand, Voice};
use model::{MediaKind, MeetingId, Mid, PeerId, UnitId};

/// A command with the unit that it is for.
pub type Command = (UnitId, UnitCommand);

/// How large somebody shows another's pictures, in physical pixels; `None`: never says.
pub type Tile = Option<(u16, u16)>;

/// One person of a room.
#[derive(Debug)]
struct Member {
    peer: PeerId,
    /// Where its media goes.
    unit: UnitId,
    /// What others can be shown.
    sources: Vec<(MediaKind, Source)>,
    /// Where others can be shown, in the order of the m-lines.
    slots: Vec<Slot>,
    /// How large others are shown, where that is not the same for all of them: these.
    tiles: Vec<(PeerId, Tile)>,
    tile: Tile,
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
    /// Who speaks, as each unit hears it.
    voices: Vec<(UnitId, Vec<Voice>)>,
    /// What the units were told of who speaks.
    speaking: Option<PeerId>,
}

/// Somebody comes.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// Who.
    pub peer: PeerId,
    /// To which unit.
    pub unit: UnitId,
    /// What it sends and where it can be sent something.
    pub answer: &'a Answer,
    /// How large it shows others.
    pub tile: Tile,
    /// Those whom it shows in another size.
    pub tiles: Vec<(PeerId, Tile)>,
}

impl Meeting {
    /// An empty room.
    pub fn new(id: MeetingId) -> Self {
        Self { id, members: Vec::new(), voices: Vec::new(), speaking: None }
    }

    /// An offer was answered: this one is there.
    pub fn joined(&mut self, arrival: Arrival<'_>) -> Vec<Command> {
        let Arrival { peer, unit, answer, tile, tiles } = arrival;
        self.members.retain(|m| m.peer != peer);
        let sources = answer.published.iter().map(|p| (p.kind, Source { peer, mid: p.mid })).collect();
        let slots = answer.slots.iter().map(|s| Slot { kind: s.kind, mid: s.mid, shows: None }).collect();
        // A unit that is new to the room does not know yet who speaks: the next word of it goes to all.
        self.speaking = None;
        self.members.push(Member { peer, unit, sources, slots, tiles, tile });
        self.bind()
    }

    /// Somebody left.
    pub fn left(&mut self, peer: PeerId) -> Vec<Command> {
        let units: Vec<UnitId> = self.members.iter().filter(|m| m.peer == peer).map(|m| m.unit).collect();
        self.members.retain(|m| m.peer != peer);
        let mut commands: Vec<Command> =
            units.into_iter().map(|unit| (unit, UnitCommand::Close { peer })).collect();
        commands.extend(self.bind());
        commands
    }

    /// A unit says whom it hears. Where the room is on several, none hears everybody: each is told who speaks. That is
    /// whoever did so before, while they do; else who spoke most of the last second.
    pub fn heard(&mut self, unit: UnitId, voices: &[Voice]) -> Vec<Command> {
        self.voices.retain(|(of, _)| *of != unit);
        self.voices.push((unit, voices.to_vec()));
        let mut units: Vec<UnitId> = self.members.iter().map(|m| m.unit).collect();
        units.sort_unstable();
        units.dedup();
        let all = || self.voices.iter().flat_map(|(_, voices)| voices);
        let goes_on = self.speaking.filter(|peer| all().any(|v| v.peer == *peer));
        let most = || all().max_by_key(|v| (v.activity, u8::MAX - v.level_dbov, v.peer)).map(|v| v.peer);
        let speaking = goes_on.or_else(most).filter(|_| units.len() > 1);
        if std::mem::replace(&mut self.speaking, speaking) == speaking {
            return Vec::new();
        }
        let meeting = self.id;
        let tell = |unit| (unit, UnitCommand::Speaking { meeting, peer: speaking });
        units.into_iter().map(tell).collect()
    }

    /// What is sent here.
    pub fn sources(&self) -> Vec<(MediaKind, Source, UnitId)> {
        let of = |m: &Member| m.sources.iter().map(|(kind, s)| (*kind, *s, m.unit)).collect::<Vec<_>>();
        self.members.iter().flat_map(of).collect()
    }

    /// Binds what is sent elsewhere to every slot that is free: a room should not.
    pub fn astray(&self, sources: &[(MediaKind, Source, UnitId)]) -> Vec<Command> {
        let mut commands = Vec::new();
        for member in &self.members {
            for slot in member.slots.iter().filter(|s| s.shows.is_none()) {
                let of_kind = sources.iter().filter(|(kind, ..)| *kind == slot.kind);
                commands.extend(of_kind.map(|(_, source, home)| {
                    let (peer, slot) = (member.peer, slot.mid);
                    let (source, home) = (Some(*source), Some(*home));
                    (member.unit, UnitCommand::Bind { peer, slot, source, home, rid: None })
                }));
            }
        }
        commands
    }

    /// Slots whose source has gone are freed; sources without a slot get the first that is free.
    fn bind(&mut self) -> Vec<Command> {
        let of = |m: &Member| m.sources.iter().map(|s| (*s, m.unit)).collect::<Vec<_>>();
        let sources: Vec<_> = self.members.iter().flat_map(of).collect();
        self.members.iter_mut().flat_map(|member| member.bind(&sources)).collect()
    }
}

impl Member {
    fn bind(&mut self, sources: &[((MediaKind, Source), UnitId)]) -> Vec<Command> {
        let (peer, unit) = (self.peer, self.unit);
        let mut commands = Vec::new();
        let gone = |shown: &Source| !sources.iter().any(|((_, source), _)| source == shown);
        for slot in self.slots.iter_mut().filter(|s| s.shows.as_ref().is_some_and(gone)) {
            slot.shows = None;
            let free = UnitCommand::Bind { peer, slot: slot.mid, source: None, home: None, rid: None };
            commands.push((unit, free));
        }
        for ((kind, source), home) in sources.iter().filter(|((_, source), _)| source.peer != peer) {
            if self.slots.iter().any(|s| s.shows == Some(*source)) {
                continue;
            }
            let free = |s: &&mut Slot| s.kind == *kind && s.shows.is_none();
            let Some(slot) = self.slots.iter_mut().find(free) else { continue };
            slot.shows = Some(*source);
            let (slot, home) = (slot.mid, Some(*home));
            let bind = UnitCommand::Bind { peer, slot, source: Some(*source), home, rid: None };
            commands.push((unit, bind));
            let own = self.tiles.iter().find(|(of, _)| *of == source.peer).map(|(_, tile)| *tile);
            if let (MediaKind::Video, Some((width, height))) = (*kind, own.unwrap_or(self.tile)) {
                commands.push((unit, UnitCommand::Resize { peer, slot, width, height, quality: None }));
            }
        }
        commands
    }
}
