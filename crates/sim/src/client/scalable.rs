//! A camera in one scalable encoding: VP9 with three spatial layers, as browsers send it without flexible mode (RFC 9628
//! §4.2), and what a decoder needs to know of its packets.

use std::time::{Duration, Instant};

use load::source::{Camera, Noise, Shape, Source};
use rtc::payload::vp9::Descriptor;

use super::publisher::LADDER;
use crate::random::Random;

/// One picture's packets, in order.
pub(super) struct Pictured {
    pub(super) at: Duration,
    pub(super) payloads: Vec<Vec<u8>>,
}

/// The sender: each layer adds to the one below it what the ladder's next step costs more.
#[derive(Debug)]
pub(super) struct Scalable {
    layers: Vec<Source>,
    picture: u16,
    noise: Noise,
}

impl Scalable {
    pub(super) fn new(random: &mut Random, now: Instant) -> Self {
        let mut below = 0;
        let mut layers = Vec::new();
        for step in LADDER {
            let camera = Camera::new(step.kbps - below, random.draw());
            layers.push(Source::new(Shape::Camera(camera), now));
            below = step.kbps;
        }
        Self { layers, picture: 0, noise: Noise::new(random.draw()) }
    }

    pub(super) fn restart(&mut self, start: Instant) {
        self.layers.iter_mut().for_each(|layer| layer.restart(start));
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.layers.first().map(Source::next_deadline)
    }

    pub(super) fn request_key_frame(&mut self) {
        self.layers.iter_mut().for_each(Source::request_key_frame);
    }

    /// A picture that is due.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Pictured> {
        let frames: Vec<_> = self.layers.iter_mut().filter_map(|layer| layer.poll_frame(now)).collect();
        let at = frames.first()?.at;
        self.picture = (self.picture + 1) & 0x7fff;
        let mut payloads = Vec::new();
        for (layer, frame) in (0u8..).zip(&frames) {
            let last = frame.sizes.len().saturating_sub(1);
            for (index, size) in frame.sizes.iter().enumerate() {
                let mut payload = self.head(layer, frame.key, index == 0, index == last);
                while payload.len() < *size {
                    payload.extend_from_slice(&self.noise.draw().to_le_bytes());
                }
                payload.truncate((*size).max(1));
                payloads.push(payload);
            }
        }
        Some(Pictured { at, payloads })
    }

    fn head(&self, layer: u8, key: bool, first: bool, last: bool) -> Vec<u8> {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let top = usize::from(layer) + 1 == LADDER.len();
        let structure = key && first && layer == 0;
        // I, P, L, B, E, V, Z.
        let flags = 0x80
            | bit(!key, 0x40)
            | 0x20
            | bit(first, 0x08)
            | bit(last, 0x04)
            | bit(structure, 0x02)
            | bit(top, 0x01);
        let [high, low] = self.picture.to_be_bytes();
        // One temporal layer, so each picture counts as one of its base.
        let mut head = vec![flags, 0x80 | high, low, layer << 1 | bit(layer > 0, 0x01), low];
        if structure {
            head.push((LADDER.len() as u8 - 1) << 5 | 0x10);
            for step in LADDER {
                head.extend_from_slice(&step.width.to_be_bytes());
                head.extend_from_slice(&step.height.to_be_bytes());
            }
        }
        if first {
            head.extend_from_slice(if key { &[0x82, 0x49, 0x83, 0x42] } else { &[0x86, 0x00, 0x40, 0x92] });
        }
        head
    }
}

/// What a packet says of its place: whether a picture begins here, whether it needs nothing from before, and its layer.
pub(super) fn read(payload: &[u8]) -> Option<(bool, bool, u8)> {
    let descriptor = Descriptor::parse(payload)?;
    let layer = descriptor.layer?.spatial_id;
    Some((descriptor.frame_start && layer == 0, !descriptor.inter_predicted, layer))
}
