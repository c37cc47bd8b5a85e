//! Writes snapshots of one room, one at a time, the newest only, without holding up the room.

use std::time::Duration;

use model::MeetingId;
use room::Snapshot;
use store::{Store, StoreError, Timestamp};
use tokio::task::JoinSet;
use tracing::warn;

/// Snapshots older than this are of rooms whose people have gone elsewhere. A running room writes one each minute, and
/// clients try for some minutes to come back.
const SNAPSHOT_AGE_MAX: Duration = Duration::from_secs(10 * 60);

/// Writes the snapshots of one room.
#[derive(Debug)]
pub(crate) struct Saver {
    store: Store,
    meeting: MeetingId,
    /// Holds at most one.
    writing: JoinSet<()>,
    next: Option<Box<Snapshot>>,
}

impl Saver {
    pub(crate) fn new(store: Store, meeting: MeetingId) -> Self {
        Self { store, meeting, writing: JoinSet::new(), next: None }
    }

    /// What an earlier run of this room wrote, if it is fresh.
    pub(crate) async fn load(&self) -> Snapshot {
        match self.store.snapshots().load(self.meeting).await {
            Ok(Some(found)) if is_fresh(found.updated_at) => {
                let snapshot = serde_json::from_str(&found.json);
                snapshot.unwrap_or_else(|error| {
                    warn!(meeting = %self.meeting, %error, "a room's snapshot cannot be read: it begins anew");
                    Snapshot::default()
                })
            }
            Ok(_) => Snapshot::default(),
            Err(error) => {
                warn!(meeting = %self.meeting, %error, "a room's snapshot cannot be loaded: it begins anew");
                Snapshot::default()
            }
        }
    }

    /// Writes this snapshot as soon as the one before is written, unless a newer one comes before that.
    pub(crate) fn save(&mut self, snapshot: Box<Snapshot>) {
        self.next = Some(snapshot);
        self.begin();
    }

    /// Waits until a snapshot is written; never ends while none is being written. Cancel safe.
    pub(crate) async fn written(&mut self) {
        if self.writing.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
        self.begin();
    }

    /// Waits until everything is written.
    pub(crate) async fn finish(&mut self) {
        while !self.writing.is_empty() {
            self.written().await;
        }
    }

    fn begin(&mut self) {
        if !self.writing.is_empty() {
            return;
        }
        if let Some(snapshot) = self.next.take() {
            let (store, meeting) = (self.store.clone(), self.meeting);
            self.writing.spawn(async move {
                if let Err(error) = write(&store, meeting, &snapshot).await {
                    warn!(%meeting, %error, "a room's snapshot is not written");
                }
            });
        }
    }
}

/// Whether a snapshot of then is worth going on with.
pub(crate) fn is_fresh(written_at: Timestamp) -> bool {
    written_at >= Timestamp::now().before(SNAPSHOT_AGE_MAX)
}

async fn write(store: &Store, meeting: MeetingId, snapshot: &Snapshot) -> Result<(), StoreError> {
    if snapshot.is_empty() {
        return store.snapshots().delete(meeting).await;
    }
    match serde_json::to_string(snapshot) {
        Ok(json) => store.snapshots().save(meeting, &json, Timestamp::now()).await,
        Err(error) => {
            // The types have only texts as keys, so this is a bug of ours; the former snapshot stays.
            warn!(%meeting, %error, "a room's snapshot has no JSON form");
            Ok(())
        }
    }
}
