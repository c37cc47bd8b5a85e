//! Writes what happens in meetings into the platform's records, in order, without holding up the rooms.

use bus::control::MeetingFact;
use store::{Store, StoreError, Timestamp};
use tokio::sync::mpsc;
use tracing::warn;

/// Facts that wait for the store. A thousand people coming at once, four times.
const FACTS_WAITING_MAX: usize = 4_096;

/// Where facts to be recorded go.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    facts: mpsc::Sender<MeetingFact>,
}

impl Records {
    /// The records, and the work of writing them, which is done when all clones are gone and everything is written.
    pub(crate) fn new(store: Store) -> (Self, impl Future<Output = ()> + Send) {
        let (facts, mut waiting) = mpsc::channel(FACTS_WAITING_MAX);
        let writing = async move {
            while let Some(fact) = waiting.recv().await {
                if let Err(error) = write(&store, &fact).await {
                    warn!(?fact, %error, "not recorded");
                }
            }
        };
        (Self { facts }, writing)
    }

    /// Has a fact written. Lost when the store is so slow that too many wait: calls go on.
    pub(crate) fn record(&self, fact: MeetingFact) {
        if self.facts.try_send(fact.clone()).is_err() {
            warn!(?fact, "not recorded: the store is too slow");
        }
    }
}

async fn write(store: &Store, fact: &MeetingFact) -> Result<(), StoreError> {
    let now = Timestamp::now();
    match *fact {
        MeetingFact::Started(meeting) => store.meetings().start(meeting, now).await.map(drop),
        MeetingFact::Joined(meeting, who) => store.participants().joined(meeting, who, now).await.map(drop),
        MeetingFact::Left(meeting, who) => store.participants().left(meeting, who, now).await.map(drop),
    }
}
