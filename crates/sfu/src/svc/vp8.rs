//! VP8's temporal layers in the terms of the dependency descriptor (RFC 7741 §4.2).
//!
//! Target *t* holds the layers up to *t*. It can be switched to at a frame of layer *t* that depends on the base layer
//! only (Y), provided that the layer below is there: chain *t* is the frames of the layer below.

use rtc::payload::vp8::{Descriptor, PictureId};
use rtc::rtp::dependency_descriptor::{ChainDiffs, Indication, Indications};

use super::mark::{FrameNumbers, Mark};

/// Layers have two bits.
pub(super) const TEMPORAL_LAYERS: u8 = 4;

/// What is remembered of a stream.
#[derive(Debug, Default)]
pub(super) struct Vp8 {
    numbers: FrameNumbers,
    /// The newest frame of each temporal layer.
    newest_of: [Option<u64>; TEMPORAL_LAYERS as usize],
}

impl Vp8 {
    /// The mark of a packet, with its temporal layer. `None` where the stream is not scalable.
    pub(super) fn read(
        &mut self,
        descriptor: &Descriptor,
        key_frame: bool,
        marker: bool,
    ) -> Option<(Mark, u8)> {
        let temporal = descriptor.temporal_id?;
        let frame = match descriptor.picture_id? {
            PictureId::Short(id) => self.numbers.extend(id.into(), 7),
            PictureId::Long(id) => self.numbers.extend(id, 15),
        };
        let mut indications = Indications::default();
        let mut chain_diffs = ChainDiffs::default();
        for target in temporal..TEMPORAL_LAYERS {
            let switch = key_frame || temporal == target && (temporal == 0 || descriptor.layer_sync);
            indications.set(target, if switch { Indication::Switch } else { Indication::Required });
        }
        if !key_frame {
            for (target, diff) in (0..TEMPORAL_LAYERS).zip(&mut chain_diffs) {
                let below = self.newest_of.get(usize::from(target.saturating_sub(1))).copied().flatten();
                *diff = below.map_or(0, |below| frame.saturating_sub(below).min(u8::MAX.into()) as u8);
            }
        }
        if descriptor.frame_start() {
            if key_frame {
                self.newest_of = [Some(frame); TEMPORAL_LAYERS as usize];
            } else if let Some(newest) = self.newest_of.get_mut(usize::from(temporal)) {
                *newest = (*newest).max(Some(frame));
            }
        }
        let mark = Mark {
            frame,
            indications,
            refers_to: Default::default(),
            chain_diffs,
            spatial: 0,
            whole: u32::MAX,
            start: descriptor.frame_start(),
            end: marker,
        };
        Some((mark, temporal))
    }
}
