//! What is of one room stays in it.

use crate::scenario::Scenario;
use crate::world::Run;

/// Nobody is sent anything that comes from another room.
pub(super) fn leaks(scenario: &Scenario, run: &Run) -> Vec<String> {
    let mut found = Vec::new();
    for (receiver, report) in scenario.people.iter().zip(&run.people) {
        for (source, _) in report.slots.iter().flat_map(|slot| &slot.sources) {
            let sender = scenario.people.iter().zip(&run.people).find(|(_, r)| r.ssrcs.contains(source));
            match sender {
                Some((sender, _)) if sender.room == receiver.room && sender.name != receiver.name => {}
                Some((sender, _)) => found.push(format!("{} is sent {}'s media", receiver.name, sender.name)),
                None => found.push(format!("{} is sent what nobody here sends: {source:08x}", receiver.name)),
            }
        }
    }
    found
}
