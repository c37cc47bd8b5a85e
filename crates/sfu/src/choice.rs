//! How large a tile is, and the rung of a ladder that it needs: a function of the tile alone, without bandwidth.

use arrayvec::ArrayVec;
use model::ReceiveQuality;

use crate::allocate::{Named, Offered, RUNGS_MAX, Rung};

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

/// What a quality is, of what can be had: encodings, or the layers of one, in the order of their size. One that does not
/// come at the moment is waited for, as one that was named is; one that never came and has no size is none.
pub(crate) fn chosen(offers: &[Offered], quality: ReceiveQuality) -> Option<Named> {
    let mut sizes: ArrayVec<(u64, u8, u8), RUNGS_MAX> = ArrayVec::new();
    for rung in offers.iter().filter(|o| o.available || o.rung.area > 0).map(|o| o.rung) {
        // Of layers that differ in rate only, the largest size that is guessed by the rate counts.
        let known = sizes.iter_mut().find(|(_, e, s)| (*e, *s) == (rung.encoding, rung.spatial));
        match known {
            Some((pixels, ..)) => *pixels = rung.pixels().max(*pixels),
            // There are no more offers than places.
            None => drop(sizes.try_push((rung.pixels(), rung.encoding, rung.spatial))),
        }
    }
    sizes.sort_unstable();
    let last = sizes.len().checked_sub(1)?;
    let index = match quality {
        ReceiveQuality::Low => 0,
        ReceiveQuality::Medium => last / 2,
        ReceiveQuality::High => last,
    };
    sizes.get(index).map(|&(_, encoding, spatial_max)| Named { encoding, spatial_max })
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
    fn a_quality_is_a_size_of_those_that_can_be_had() {
        use ReceiveQuality::{High, Low, Medium};
        let of = |offers: &[Offered]| {
            [Low, Medium, High].map(|q| chosen(offers, q).map(|n| (n.encoding, n.spatial_max)))
        };
        assert_eq!(of(&ladder()), [Some((0, 0)), Some((1, 0)), Some((2, 0))]);
        // The layers of one encoding, each at several rates.
        let layers = |spatial: std::ops::Range<u8>| -> Vec<Offered> {
            let rungs = spatial.flat_map(|s| (0..3u8).map(move |t| (s, t)));
            rungs
                .map(|(spatial, temporal)| {
                    let area = 14_400 << (2 * spatial);
                    let cost = Bitrate::from_kbps(100 << spatial << temporal);
                    Offered::new(Rung { spatial, temporal, ..Rung::whole(0, area, cost) })
                })
                .collect()
        };
        assert_eq!(of(&layers(0..3)), [Some((0, 0)), Some((0, 1)), Some((0, 2))]);
        assert_eq!(of(&layers(0..2)), [Some((0, 0)), Some((0, 0)), Some((0, 1))], "of two the smaller");
        assert_eq!(of(&[]), [None; 3]);
        let mut silent = ladder();
        silent[2].available = false;
        assert_eq!(of(&silent), [Some((0, 0)), Some((1, 0)), Some((2, 0))], "it is waited for");
        silent[2].rung.area = 0;
        assert_eq!(of(&silent), [Some((0, 0)), Some((0, 0)), Some((1, 0))], "there is none");
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
