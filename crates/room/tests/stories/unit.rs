//! What the unit says, and what happens when it is gone.

use model::unit::{UnitCommand, UnitFact, Voice};
use model::{LayerReason, PeerId, UnitId};
use wire::ServerMessage;

use crate::common::{Lines, MEETING, UNIT, World};

fn speakers(world: &World, who: model::ParticipantId) -> Vec<Vec<(model::ParticipantId, u8)>> {
    let speakers = world.got(who).iter().filter_map(|e| match &e.message {
        ServerMessage::Speakers { speakers } => {
            Some(speakers.iter().map(|s| (s.participant_id, s.level)).collect())
        }
        _ => None,
    });
    speakers.collect()
}

#[test]
fn who_speaks_is_told_by_participant_and_level() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join_hello(2));
    let mut peers = Vec::new();
    for who in [ada, bob] {
        world.offer(who);
        peers.push(world.peer_of_last_offer());
        world.answer(Ok(Lines::usual().answer(false)));
    }
    world.clear();
    let loud = |list: Vec<(PeerId, u8)>| {
        let voice = |(peer, level_dbov)| Voice { peer, level_dbov, activity: 50 };
        UnitFact::Speakers {
            meeting: MEETING,
            unit: UnitId(1),
            speakers: list.into_iter().map(voice).collect(),
        }
    };
    world.fact(loud(vec![(peers[1], 0), (PeerId(77), 5), (peers[0], 127)]));
    world.fact(loud(vec![(peers[1], 0), (peers[0], 127)]));
    assert_eq!(speakers(&world, ada), [vec![(bob, 100), (ada, 0)]], "said once");
    world.say(bob, wire::ClientMessage::Leave {});
    assert_eq!(speakers(&world, ada).last().unwrap(), &vec![(ada, 0)]);
    world.fact(loud(vec![]));
    assert_eq!(speakers(&world, ada).last().unwrap(), &vec![]);
}

#[test]
fn when_the_unit_is_gone_everybody_offers_again_at_the_next() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join_hello(2));
    world.negotiate(ada, &Lines::usual());
    world.negotiate(bob, &Lines::usual());
    let video = world.video(ada, bob);
    world.request(ada, bob, video);
    world.clear();
    world.lose_unit(UNIT);
    world.pass_ms(1000);
    assert!(!world.types(ada).contains(&"reoffer".to_owned()), "there is nowhere to go");
    let next = UnitId(2);
    world.start_unit(next);
    world.commands.clear();
    assert!(world.types(ada).contains(&"reoffer".to_owned()));
    world.negotiate(ada, &Lines::usual());
    world.negotiate(bob, &Lines::usual());
    assert!(!world.commands.is_empty());
    assert!(world.commands.iter().all(|(unit, _)| *unit == next), "{:?}", world.commands);
    assert_eq!(world.video(ada, bob), video);
}

#[test]
fn an_answer_of_the_former_unit_is_worth_nothing() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    let id = world.offer(ada);
    let former = world.peer_of_last_offer();
    world.lose_unit(UNIT);
    assert_eq!(world.error(ada, &id).0, wire::ErrorType::ServerError, "said at once");
    world.start_unit(UnitId(2));
    world.clear();
    world.answer(Ok(Lines::usual().answer(false)));
    assert!(world.got(ada).is_empty());
    let close = UnitCommand::Close { peer: former };
    assert_eq!(world.commands, [(UNIT, close)], "it took the offer up after all");
}

#[test]
fn facts_of_strangers_are_dropped() {
    let mut world = World::new();
    world.join_hello(1);
    world.clear();
    world.fact(UnitFact::Failed { peer: PeerId(5), reason: String::new() });
    world.fact(UnitFact::PeersLost { peers: vec![PeerId(5)] });
    world.fact(UnitFact::SlotLayer {
        peer: PeerId(5),
        slot: crate::common::mid("1"),
        rid: None,
        spatial: None,
        active: true,
        reason: LayerReason::TileSize,
    });
    world.pass_ms(1000);
    assert!(world.inbox.values().flatten().all(|e| matches!(e.message, ServerMessage::Members { .. })));
}
