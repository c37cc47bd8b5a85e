//! The form of a batch: frames one after the other, numbers in network order.
//!
//! ```text
//! packet   1 │ handle u32 │ encoding u8 │ flags u8 │ payload type u8 │ sequence u64 │ timestamp u32 │ SSRC u32
//!            │ age in µs u32 │ length of the payload u16 │ of the descriptor u16 │ what the flags say │ payload │ descriptor
//!            (the layers u8 and the whole length u16 come last of what the flags say)
//! control  2 │ length u32 │ JSON
//! ```

use std::time::{Duration, Instant};

use rtc::rtp::{AbsCaptureTime, AudioLevel};
use rtc::{Carried, Received};

use super::Layers;
use super::words::Control;
use crate::history::Stored;

const PACKET: u8 = 1;
const CONTROL: u8 = 2;

const MARKER: u8 = 1;
/// The encoding has another source from here on.
const RESTARTED: u8 = 2;
/// A byte: voice, level (RFC 6464 §3).
const AUDIO_LEVEL: u8 = 4;
/// 8 bytes.
const CAPTURE_TIME: u8 = 8;
/// 16 bytes.
const CAPTURE_TIME_LONG: u8 = 16;
/// 3 bytes.
const PLAYOUT_DELAY: u8 = 32;

/// A byte: the highest spatial layer that crosses whole with this picture, and the highest temporal one.
const LAYERS: u8 = 64;
/// The payload is cut, for it is above those: how long it was.
const HEAD: u8 = 128;

/// What of a payload says where the packet stands: payload descriptors are shorter, but for VP9's with a structure, which
/// is of the lowest layer.
const HEAD_BYTES: usize = 48;

const VOICE: u8 = 0x80;

/// At a million packets a second, more than a thousand years.
const SEQUENCE_MAX: u64 = 1 << 55;

/// A frame of a batch.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    Packet(Relayed<'a>),
    Control(Control),
}

/// A media packet as its home unit took it in.
#[derive(Debug)]
pub(super) struct Relayed<'a> {
    pub(super) handle: u32,
    /// How long ago it was captured.
    pub(super) age: Duration,
    /// The layers that cross whole with its picture; `None`: all.
    pub(super) layers: Option<Layers>,
    /// How long the payload was, where only its head is here.
    pub(super) whole_len: Option<u16>,
    /// The line is 0 and the ranges are empty: they say nothing here.
    pub(super) received: Received,
    pub(super) payload: &'a [u8],
    pub(super) descriptor: &'a [u8],
}

/// A packet that crosses a link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crosses<'a> {
    pub(super) packet: &'a Stored,
    /// The layers that cross whole with its picture; `None`: all.
    pub(super) layers: Option<Layers>,
    pub(super) head_only: bool,
}

pub(super) fn write_control(batch: &mut Vec<u8>, control: &Control) {
    let Ok(json) = serde_json::to_vec(control) else { return };
    let Ok(length) = u32::try_from(json.len()) else { return };
    batch.push(CONTROL);
    batch.extend_from_slice(&length.to_be_bytes());
    batch.extend_from_slice(&json);
}

pub(super) fn write_packet(
    now: Instant,
    batch: &mut Vec<u8>,
    handle: u32,
    encoding: u8,
    crosses: &Crosses<'_>,
) {
    let Crosses { packet, layers, head_only } = *crosses;
    let Carried { audio_level, abs_capture_time, playout_delay } = packet.carried;
    let capture = abs_capture_time.as_ref().map(AbsCaptureTime::as_bytes);
    let flags = [
        (MARKER, packet.marker),
        (RESTARTED, packet.restarted),
        (AUDIO_LEVEL, audio_level.is_some()),
        (CAPTURE_TIME, capture.is_some_and(|c| c.len() == 8)),
        (CAPTURE_TIME_LONG, capture.is_some_and(|c| c.len() == 16)),
        (PLAYOUT_DELAY, playout_delay.is_some()),
        (LAYERS, layers.is_some()),
        (HEAD, head_only),
    ];
    let flags = flags.iter().filter(|(_, set)| *set).fold(0, |all, (flag, _)| all | flag);
    let (whole, descriptor) = (packet.payload(), packet.descriptor());
    let payload = if head_only { whole.get(..HEAD_BYTES).unwrap_or(whole) } else { whole };
    batch.push(PACKET);
    batch.extend_from_slice(&handle.to_be_bytes());
    batch.extend_from_slice(&[encoding, flags, packet.payload_type]);
    batch.extend_from_slice(&packet.sequence.to_be_bytes());
    batch.extend_from_slice(&packet.timestamp.to_be_bytes());
    batch.extend_from_slice(&packet.ssrc.to_be_bytes());
    let age = now.saturating_duration_since(packet.captured).as_micros();
    batch.extend_from_slice(&u32::try_from(age).unwrap_or(u32::MAX).to_be_bytes());
    // Both come from one datagram, which is far below what 16 bits count.
    batch.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    batch.extend_from_slice(&(descriptor.len() as u16).to_be_bytes());
    batch.extend(audio_level.map(|l| l.level_dbov & !VOICE | if l.voice { VOICE } else { 0 }));
    batch.extend_from_slice(capture.unwrap_or_default());
    batch.extend_from_slice(playout_delay.as_ref().map(<[u8; 3]>::as_slice).unwrap_or_default());
    // Layers have four bits.
    batch.extend(layers.map(|l| l.spatial << 4 | l.temporal & 0xf));
    if head_only {
        batch.extend_from_slice(&(whole.len() as u16).to_be_bytes());
    }
    batch.extend_from_slice(payload);
    batch.extend_from_slice(descriptor);
}

/// The frames of a batch. `None`, and then nothing more, where it is damaged.
pub(super) fn read(batch: &[u8]) -> impl Iterator<Item = Option<Frame<'_>>> {
    let mut rest = Bytes(batch);
    let mut damaged = false;
    std::iter::from_fn(move || {
        if rest.0.is_empty() || damaged {
            return None;
        }
        let frame = rest.frame();
        damaged = frame.is_none();
        Some(frame)
    })
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn frame(&mut self) -> Option<Frame<'a>> {
        match self.array()? {
            [PACKET] => self.packet().map(Frame::Packet),
            [CONTROL] => {
                let length = usize::try_from(u32::from_be_bytes(self.array()?)).ok()?;
                serde_json::from_slice(self.take(length)?).ok().map(Frame::Control)
            }
            _ => None,
        }
    }

    fn packet(&mut self) -> Option<Relayed<'a>> {
        let handle = u32::from_be_bytes(self.array()?);
        let [layer, flags, payload_type] = self.array()?;
        let sequence = Some(u64::from_be_bytes(self.array()?)).filter(|s| *s < SEQUENCE_MAX)?;
        let timestamp = u32::from_be_bytes(self.array()?);
        let ssrc = u32::from_be_bytes(self.array()?);
        let age = Duration::from_micros(u32::from_be_bytes(self.array()?).into());
        let payload_len = u16::from_be_bytes(self.array()?);
        let descriptor_len = u16::from_be_bytes(self.array()?);
        let has = |flag: u8| flags & flag != 0;
        let audio_level = if has(AUDIO_LEVEL) {
            let [byte] = self.array()?;
            Some(AudioLevel { level_dbov: byte & !VOICE, voice: byte & VOICE != 0 })
        } else {
            None
        };
        let capture_len = if has(CAPTURE_TIME_LONG) { 16 } else { 8 * usize::from(has(CAPTURE_TIME)) };
        let abs_capture_time = AbsCaptureTime::from_bytes(self.take(capture_len)?);
        let playout_delay = if has(PLAYOUT_DELAY) { Some(self.array()?) } else { None };
        let layers = if has(LAYERS) {
            let [byte] = self.array()?;
            Some(Layers { spatial: byte >> 4, temporal: byte & 0xf })
        } else {
            None
        };
        let whole_len = if has(HEAD) { Some(u16::from_be_bytes(self.array()?)) } else { None };
        let received = Received {
            line: 0,
            layer,
            sequence,
            timestamp,
            marker: has(MARKER),
            payload_type,
            ssrc,
            payload: 0..0,
            carried: Carried { audio_level, abs_capture_time, playout_delay },
            descriptor: 0..0,
            restarted: has(RESTARTED),
        };
        let payload = self.take(payload_len.into())?;
        let descriptor = self.take(descriptor_len.into())?;
        Some(Relayed { handle, age, layers, whole_len, received, payload, descriptor })
    }
}
