use std::time::Duration;

use super::Noise;

/// Payload bytes of the largest packet of a browser: 1,200 less headers, extensions and the tag.
const PAYLOAD_BYTES_MAX: usize = 1_160;
/// A key frame is about this many times an ordinary frame.
const KEY_FRAME_FACTOR: f64 = 8.0;

/// Frame and packet sizes as a browser's encoder of a camera makes them: frames between a third and twice the mean,
/// key frames much larger, and every frame cut evenly, so that its last packets are a byte longer than the first ones.
#[derive(Debug, Clone)]
pub struct Camera {
    frame_bytes: f64,
    noise: Noise,
    /// Bytes sent above the mean, to be saved by the frames that follow, as a rate control does.
    debt: f64,
}

impl Camera {
    /// Frames a second.
    pub const FPS: u32 = 30;
    /// From one frame to the next.
    pub const INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / Self::FPS as u64);

    /// A camera of that bit rate.
    pub fn new(kbps: u32, seed: u64) -> Self {
        let frame_bytes = f64::from(kbps) * 1000.0 / 8.0 / f64::from(Self::FPS);
        Self { frame_bytes, noise: Noise::new(seed), debt: 0.0 }
    }

    /// Payload sizes of the next frame's packets.
    pub(super) fn sizes(&mut self, key: bool) -> Vec<usize> {
        // The mean of three draws: mostly near the middle, sometimes far off.
        let spread = (self.noise.share() + self.noise.share() + self.noise.share()) / 3.0;
        let wanted = self.frame_bytes * if key { KEY_FRAME_FACTOR } else { 0.33 + 1.34 * spread };
        let saved = if key { 0.0 } else { (self.debt * 0.1).min(wanted * 0.5) };
        let bytes = (wanted - saved).max(20.0);
        self.debt = (self.debt + bytes - self.frame_bytes).max(0.0);
        cut(bytes as usize)
    }
}

/// As few packets as possible, as even as possible, the longer ones last.
fn cut(bytes: usize) -> Vec<usize> {
    let count = bytes.div_ceil(PAYLOAD_BYTES_MAX).max(1);
    let (size, longer) = (bytes / count, bytes % count);
    (0..count).map(|n| size + usize::from(n >= count - longer)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_evenly_with_longer_packets_last() {
        assert_eq!(cut(3_001), [1_000, 1_000, 1_001]);
        assert_eq!(cut(1_160), [1_160]);
        assert_eq!(cut(1_161), [580, 581]);
        assert_eq!(cut(20), [20]);
    }

    #[test]
    fn the_rate_is_kept_though_frames_differ() {
        let mut camera = Camera::new(1_500, 7);
        let mut total = camera.sizes(true).iter().sum::<usize>();
        let frames: Vec<usize> = (0..3_000).map(|_| camera.sizes(false).iter().sum()).collect();
        total += frames.iter().sum::<usize>();
        let kbps = total as f64 * 8.0 * 30.0 / 3_001.0 / 1000.0;
        assert!((1_400.0..1_600.0).contains(&kbps), "{kbps}");
        let (min, max) = (frames.iter().min().unwrap(), frames.iter().max().unwrap());
        assert!(*min < 4_000 && *max > 8_000, "{min} {max}");
    }

    /// As encoders do at 3840×2160: frames of half a hundred packets, key frames of some hundreds.
    #[test]
    fn frames_of_a_large_camera_are_large() {
        let mut camera = Camera::new(16_000, 3);
        let key = camera.sizes(true).len();
        assert!((300..600).contains(&key), "{key}");
        let packets: usize = (0..300).map(|_| camera.sizes(false).len()).sum();
        assert!((45..65).contains(&(packets / 300)), "{packets}");
    }

    #[test]
    fn a_key_frame_has_many_packets() {
        assert!(Camera::new(1_500, 1).sizes(true).len() > 30);
        assert_eq!(Camera::new(1_500, 1).sizes(true), Camera::new(1_500, 1).sizes(true));
    }
}
