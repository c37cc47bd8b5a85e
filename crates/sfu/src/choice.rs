//! How large a tile is, and the rung of a ladder that it needs: a function of the tile alone, without bandwidth.

use crate::allocate::{Offered, Rung};

/// How large a receiver shows a slot, in physical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TileSize {
    pub(crate) width: u16,
    pub(crate) height: u16,
}

impl TileSize {
    /// What a slot is taken for until its receiver says how large it is: the public package never says.
    pub(crate) const UNKNOWN: Self = Self { width: u16::MAX, height: u16::MAX };

    /// Nothing is to be sent.
    pub(crate) fn is_hidden(self) -> bool {
        self.width == 0 || self.height == 0
    }

    pub(crate) fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// The rung that a tile needs, of those that `counts`.
///
/// It is the smallest one with at least half of the tile's pixels, so that a ladder of steps of four in area never sends
/// more than twice the pixels that are shown, and the largest one for a tile above them all; of several with the same
/// pixels the one with all frames. Rungs of unknown size are ordered by what they cost, and are no smallest of anything.
pub(crate) fn needed(offers: &[Offered], tile: TileSize, counts: impl Fn(&Offered) -> bool) -> Option<Rung> {
    let rungs = || offers.iter().filter(|o| counts(o)).map(|o| o.rung);
    let enough = |r: &Rung| r.area > 0 && r.area.saturating_mul(2) >= tile.area();
    rungs()
        .filter(enough)
        .min_by_key(|r| (r.area, u8::MAX - r.frames_pct, r.cost))
        .or_else(|| rungs().max_by_key(|r| (r.area, r.frames_pct, r.cost)))
}

#[cfg(test)]
mod tests {
    use model::Bitrate;

    use super::*;

    fn ladder() -> Vec<Offered> {
        [(320u64, 180u64, 150), (640, 360, 500), (1280, 720, 1700)]
            .into_iter()
            .zip(0u8..)
            .map(|((w, h, kbps), i)| Offered::new(Rung::whole(i, w * h, Bitrate::from_kbps(kbps))))
            .collect()
    }

    fn tile(width: u16, height: u16) -> TileSize {
        TileSize { width, height }
    }

    fn index(offers: &[Offered], tile: TileSize) -> Option<u8> {
        needed(offers, tile, |o| o.available).map(|r| r.encoding)
    }

    #[test]
    fn the_tile_decides() {
        let table = [
            (tile(160, 90), 0),
            (tile(320, 180), 0),
            (tile(440, 247), 0),
            (tile(480, 270), 1),
            (tile(640, 360), 1),
            (tile(800, 480), 1),
            (tile(1280, 720), 2),
            (tile(3840, 2160), 2),
            (TileSize::UNKNOWN, 2),
        ];
        for (size, expected) in table {
            assert_eq!(index(&ladder(), size), Some(expected), "{size:?}");
        }
        assert!(tile(0, 0).is_hidden() && tile(0, 720).is_hidden() && !tile(1, 1).is_hidden());
    }

    #[test]
    fn never_more_than_twice_the_pixels_shown_above_the_lowest_step() {
        for width in 160..2000u16 {
            let size = tile(width, (u32::from(width) * 9 / 16) as u16);
            let rung = needed(&ladder(), size, |_| true).unwrap();
            assert!(rung.encoding == 0 || rung.area <= 2 * size.area() + 4 * u64::from(width), "{width}");
        }
    }

    #[test]
    fn a_silent_encoding_is_not_waited_for() {
        let mut offers = ladder();
        for (silent, expected) in [(2, Some(1)), (1, Some(0)), (0, None)] {
            offers[silent].available = false;
            assert_eq!(index(&offers, tile(1280, 720)), expected);
        }
    }

    #[test]
    fn unknown_sizes_are_ordered_by_cost() {
        let mut offers = ladder();
        for offer in &mut offers {
            offer.rung.area = 0;
        }
        assert_eq!(index(&offers, tile(100, 100)), Some(2));
    }

    #[test]
    fn a_tile_wants_all_frames_of_the_smallest_size_that_is_enough() {
        let mut offers = ladder();
        for frames_pct in [25, 50] {
            let rung = Rung { frames_pct, temporal: frames_pct / 50, ..offers[1].rung };
            offers.push(Offered::new(Rung { cost: Bitrate::from_kbps(200), ..rung }));
        }
        let rung = needed(&offers, tile(640, 360), |_| true).unwrap();
        assert_eq!((rung.encoding, rung.frames_pct), (1, 100));
    }
}
