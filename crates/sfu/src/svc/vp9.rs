//! VP9's layers in the terms of the dependency descriptor (RFC 9628 §4.2), for senders that give none.
//!
//! Target 8 *s* + *t* shows spatial layer *s* with the temporal layers up to *t*. It holds the lower spatial layers of a
//! picture as far as they are referred to (not Z). Chain *s* is the frames that spatial layer *s* cannot do without.
//!
//! The RFC says of U that later pictures of higher temporal layers need none from before; encoders set it also where a
//! picture of an upper layer refers to lower ones only. What holds in both readings: from the base layer one may switch
//! to every rate, from an upper one to its own, if the layers between are there.

use rtc::payload::vp8::PictureId;
use rtc::payload::vp9::{Descriptor, LayerIndices};
use rtc::rtp::dependency_descriptor::{
    ChainDiffs, FDIFFS_MAX, Indication, Indications, SPATIAL_LAYERS_MAX, TEMPORAL_LAYERS_MAX,
};

use super::mark::{FrameNumbers, Mark};

/// The number of a target.
pub(super) const fn target(spatial: u8, temporal: u8) -> u8 {
    spatial * TEMPORAL_LAYERS_MAX as u8 + temporal
}

/// What is remembered of a stream.
#[derive(Debug, Default)]
pub(super) struct Vp9 {
    numbers: FrameNumbers,
    /// The newest frame of each chain.
    chains: [Option<u64>; SPATIAL_LAYERS_MAX],
    /// The newest frame of each temporal layer of each spatial one.
    newest_of: [[Option<u64>; TEMPORAL_LAYERS_MAX]; SPATIAL_LAYERS_MAX],
}

impl Vp9 {
    /// The mark of a packet, with its layers. `None` where the stream is not scalable, or beyond our bounds.
    pub(super) fn read(&mut self, descriptor: &Descriptor) -> Option<(Mark, LayerIndices)> {
        let layer = descriptor.layer?;
        let spatial = layer.spatial_id;
        if usize::from(spatial) >= SPATIAL_LAYERS_MAX {
            return None;
        }
        let picture = match descriptor.picture_id? {
            PictureId::Short(id) => self.numbers.extend(id.into(), 7),
            PictureId::Long(id) => self.numbers.extend(id, 15),
        };
        let frame = picture * SPATIAL_LAYERS_MAX as u64 + u64::from(spatial);
        let intra = !descriptor.inter_predicted;
        let chain_diffs = self.chain_diffs(frame, spatial, intra, layer.inter_layer);
        if descriptor.frame_start && (layer.temporal_id == 0 || intra) {
            self.advance(frame, spatial, intra && !layer.inter_layer);
        }
        let mut refers_to = [0; FDIFFS_MAX];
        let [spatial_below, temporal_below, ..] = &mut refers_to;
        *spatial_below = layer.inter_layer.into();
        *temporal_below = self.between(frame, &layer);
        if descriptor.frame_start {
            self.note(frame, &layer, intra);
        }
        let mark = Mark {
            frame,
            indications: indications(descriptor, &layer, intra),
            refers_to,
            chain_diffs,
            spatial,
            whole: u32::MAX,
            start: descriptor.frame_start,
            end: descriptor.frame_end,
        };
        Some((mark, layer))
    }

    /// Distance to the newest frame of the temporal layers between the base layer and this one; 0: there is none.
    fn between(&self, frame: u64, layer: &LayerIndices) -> u8 {
        let of_spatial = self.newest_of.get(usize::from(layer.spatial_id));
        let between = of_spatial.and_then(|of| of.get(1..usize::from(layer.temporal_id))).unwrap_or_default();
        let newest = between.iter().flatten().max();
        newest.map_or(0, |newest| frame.saturating_sub(*newest).min(u8::MAX.into()) as u8)
    }

    fn note(&mut self, frame: u64, layer: &LayerIndices, intra: bool) {
        let Some(of_spatial) = self.newest_of.get_mut(usize::from(layer.spatial_id)) else { return };
        if intra {
            *of_spatial = [Some(frame); TEMPORAL_LAYERS_MAX];
        } else if let Some(newest) = of_spatial.get_mut(usize::from(layer.temporal_id)) {
            *newest = (*newest).max(Some(frame));
        }
    }

    fn chain_diffs(&self, frame: u64, spatial: u8, intra: bool, inter_layer: bool) -> ChainDiffs {
        let mut diffs = ChainDiffs::default();
        for (chain, diff) in (0u8..).zip(&mut diffs).take(SPATIAL_LAYERS_MAX) {
            let begins = intra && !inter_layer && spatial <= chain;
            let before = if chain == spatial && intra && inter_layer {
                // A frame that needs nothing but the layer below it in its picture.
                Some(frame.saturating_sub(1))
            } else {
                self.chains.get(usize::from(chain)).copied().flatten()
            };
            if let (false, Some(before)) = (begins, before) {
                *diff = frame.saturating_sub(before).min(u8::MAX.into()) as u8;
            }
        }
        diffs
    }

    /// A frame that needs nothing begins the chains of all higher layers too: they are built on it.
    fn advance(&mut self, frame: u64, spatial: u8, begins: bool) {
        let last = if begins { SPATIAL_LAYERS_MAX } else { usize::from(spatial) + 1 };
        for newest in self.chains.iter_mut().take(last).skip(spatial.into()) {
            *newest = (*newest).max(Some(frame));
        }
    }
}

fn indications(descriptor: &Descriptor, layer: &LayerIndices, intra: bool) -> Indications {
    let mut indications = Indications::default();
    for spatial in layer.spatial_id..SPATIAL_LAYERS_MAX as u8 {
        let own = spatial == layer.spatial_id;
        if !own && descriptor.not_reference_for_spatial {
            continue;
        }
        for temporal in layer.temporal_id..TEMPORAL_LAYERS_MAX as u8 {
            let base = layer.temporal_id == 0;
            let up = layer.switching_up_point && (base || temporal == layer.temporal_id);
            let switch = intra || own && (up || base && temporal == 0);
            let indication = if switch { Indication::Switch } else { Indication::Required };
            indications.set(target(spatial, temporal), indication);
        }
    }
    indications
}
