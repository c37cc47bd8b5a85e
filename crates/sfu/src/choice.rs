//! Which encoding a slot should show: a pure function of what is wanted and what is there.
//!
//! Bandwidth will be one more input; the size of the tile is the other, and is all there is now.

use model::Rid;

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

/// An encoding as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) rid: Option<Rid>,
    /// Pixels of a picture; 0 while unknown.
    pub(crate) area: u64,
    /// Smoothed bit rate: the order of encodings whose size is unknown.
    pub(crate) bitrate_bps: u64,
    /// Packets came in lately.
    pub(crate) active: bool,
}

/// The index of the encoding to show, or `None` for nothing.
///
/// An explicit RID is taken as it is, even while it is silent. Otherwise it is the smallest active encoding with at
/// least half of the tile's pixels, so that a ladder of steps of four in area never sends more than twice the pixels
/// that are shown, and the largest active one for a tile above them all.
pub(crate) fn choose(candidates: &[Candidate], wanted: Option<Rid>, tile: TileSize) -> Option<usize> {
    if tile.is_hidden() {
        return None;
    }
    if let Some(rid) = wanted {
        return candidates.iter().position(|c| c.rid == Some(rid));
    }
    let order = |i: &usize| candidates.get(*i).map(|c| (c.area, c.bitrate_bps));
    let active = || (0..candidates.len()).filter(|i| candidates.get(*i).is_some_and(|c| c.active));
    let enough =
        |i: &usize| candidates.get(*i).is_some_and(|c| c.area > 0 && c.area.saturating_mul(2) >= tile.area());
    active()
        .filter(enough)
        .min_by_key(order)
        .or_else(|| active().max_by_key(order))
        // Nothing has come in yet: wait for the only encoding there is, or for the first to speak.
        .or(if candidates.len() == 1 { Some(0) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder() -> [Candidate; 3] {
        [(320u64, 180u64, "l", 150), (640, 360, "m", 500), (1280, 720, "h", 1700)].map(|(w, h, rid, kbps)| {
            Candidate { rid: rid.parse().ok(), area: w * h, bitrate_bps: kbps * 1000, active: true }
        })
    }

    fn tile(width: u16, height: u16) -> TileSize {
        TileSize { width, height }
    }

    #[test]
    fn the_tile_decides() {
        let table = [
            (tile(160, 90), Some(0)),
            (tile(320, 180), Some(0)),
            (tile(440, 247), Some(0)),
            (tile(480, 270), Some(1)),
            (tile(640, 360), Some(1)),
            (tile(800, 480), Some(1)),
            (tile(1280, 720), Some(2)),
            (tile(3840, 2160), Some(2)),
            (TileSize::UNKNOWN, Some(2)),
            (tile(0, 0), None),
            (tile(0, 720), None),
        ];
        for (size, expected) in table {
            assert_eq!(choose(&ladder(), None, size), expected, "{size:?}");
        }
    }

    #[test]
    fn never_more_than_twice_the_pixels_shown_above_the_lowest_step() {
        for width in 160..2000u16 {
            let size = tile(width, (u32::from(width) * 9 / 16) as u16);
            let chosen = choose(&ladder(), None, size).unwrap();
            let area = ladder()[chosen].area;
            assert!(chosen == 0 || area <= 2 * size.area() + 4 * u64::from(width), "{width}: {chosen}");
        }
    }

    #[test]
    fn a_silent_encoding_is_not_waited_for() {
        let mut encodings = ladder();
        encodings[2].active = false;
        assert_eq!(choose(&encodings, None, tile(1280, 720)), Some(1));
        encodings[1].active = false;
        assert_eq!(choose(&encodings, None, tile(1280, 720)), Some(0));
        encodings[0].active = false;
        assert_eq!(choose(&encodings, None, tile(1280, 720)), None);
    }

    #[test]
    fn an_explicit_rid_is_obeyed_even_if_silent_and_unknown_is_nothing() {
        let mut encodings = ladder();
        encodings[0].active = false;
        assert_eq!(choose(&encodings, "l".parse().ok(), tile(1280, 720)), Some(0));
        assert_eq!(choose(&encodings, "x".parse().ok(), tile(1280, 720)), None);
        assert_eq!(choose(&encodings, "l".parse().ok(), tile(0, 0)), None);
    }

    #[test]
    fn unknown_sizes_are_ordered_by_rate_and_a_single_encoding_is_waited_for() {
        let mut encodings = ladder();
        for encoding in &mut encodings {
            encoding.area = 0;
        }
        assert_eq!(choose(&encodings, None, tile(100, 100)), Some(2));
        let silent = [Candidate { rid: None, area: 0, bitrate_bps: 0, active: false }];
        assert_eq!(choose(&silent, None, tile(100, 100)), Some(0));
    }
}
