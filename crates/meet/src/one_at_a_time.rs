//! Opens of one room follow each other, so that twenty at once make one meeting and not twenty.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::name::RoomName;

/// A lock for each name that somebody is opening.
#[derive(Debug, Default)]
pub(crate) struct OneAtATime {
    lock_by_name: Mutex<HashMap<RoomName, Weak<AsyncMutex<()>>>>,
}

impl OneAtATime {
    /// Waits for the turn with this name; it lasts until the guard is dropped.
    pub(crate) async fn turn(&self, name: &RoomName) -> OwnedMutexGuard<()> {
        self.lock(name).lock_owned().await
    }

    fn lock(&self, name: &RoomName) -> Arc<AsyncMutex<()>> {
        let mut lock_by_name = self.lock_by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = lock_by_name.get(name).and_then(Weak::upgrade) {
            return lock;
        }
        // Nobody holds the former ones any more: only as many stay as are being opened now.
        lock_by_name.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(AsyncMutex::new(()));
        lock_by_name.insert(name.clone(), Arc::downgrade(&lock));
        lock
    }
}
