use std::sync::atomic::{AtomicU64, Ordering};

use model::PeerId;

/// Peer ids that may be drawn per millisecond of a program's life before they could meet those of the next.
const IDS_PER_MS_BITS: u32 = 20;

/// Draws peer ids that no former run of the program has drawn, so that a unit that outlives us confuses nobody.
#[derive(Debug)]
pub(crate) struct PeerIds {
    next: AtomicU64,
}

impl PeerIds {
    pub(crate) fn since(start_unix_ms: u64) -> Self {
        Self { next: AtomicU64::new(start_unix_ms << IDS_PER_MS_BITS) }
    }

    pub(crate) fn draw(&self) -> PeerId {
        PeerId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_run_draws_other_ids() {
        let (first, later) = (PeerIds::since(1_800_000_000_000), PeerIds::since(1_800_000_000_001));
        let lowest_of_later = later.draw();
        assert!((0..1000).all(|_| first.draw() < lowest_of_later));
    }
}
