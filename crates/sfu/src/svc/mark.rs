//! Where a packet stands in a scalable stream.

use rtc::rtp::dependency_descriptor::{ChainDiffs, FDIFFS_MAX, Indications};

/// What a packet says of its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Counts frames in decoding order; extended, so it does not wrap.
    pub(crate) frame: u64,
    /// How the frame relates to each decode target of its ladder.
    pub(crate) indications: Indications,
    /// Distances to frames that it cannot be decoded without; zeros for none. What is known of them: where its sender
    /// gives no descriptor, an indication to switch speaks for the temporal layers.
    pub(crate) refers_to: [u8; FDIFFS_MAX],
    /// Distance to the frame before on each chain; 0: none is needed.
    pub(crate) chain_diffs: ChainDiffs,
    pub(crate) spatial: u8,
    /// A bit for each decode target of which everything comes in: all, but from another unit that leaves some out.
    pub(crate) whole: u32,
    /// The packet is the first of its frame.
    pub(crate) start: bool,
    /// The packet is the last of its frame.
    pub(crate) end: bool,
}

/// Extends frame numbers of some bits, of which neighbours are less than half of the range apart.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FrameNumbers {
    newest: Option<u64>,
}

/// Numbers begin here, so that those before the first are none below zero.
const FIRST: u64 = 1 << 32;

impl FrameNumbers {
    pub(super) fn extend(&mut self, number: u16, bits: u32) -> u64 {
        let range = 1u64 << bits;
        let Some(newest) = self.newest else {
            let first = FIRST + u64::from(number);
            self.newest = Some(first);
            return first;
        };
        let ahead = u64::from(number).wrapping_sub(newest) & (range - 1);
        let extended =
            if ahead < range / 2 { newest + ahead } else { (newest + ahead).saturating_sub(range) };
        self.newest = Some(newest.max(extended));
        extended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_over_the_end_and_late_ones_go_back() {
        let mut numbers = FrameNumbers::default();
        let first = numbers.extend(65_530, 16);
        assert_eq!(numbers.extend(2, 16), first + 8);
        assert_eq!(numbers.extend(65_535, 16), first + 5);
        assert_eq!(numbers.extend(3, 16), first + 9);
        let mut short = FrameNumbers::default();
        let first = short.extend(127, 7);
        assert_eq!(short.extend(0, 7), first + 1);
        assert_eq!(short.extend(126, 7), first - 1);
    }
}
