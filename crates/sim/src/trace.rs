//! What happened, as one number and, if wanted, as lines to read.

use std::fmt;
use std::time::{Duration, Instant};

use model::UnitId;

use crate::network::Fate;

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From a client to the unit.
    Up,
    /// From the unit to a client.
    Down,
}

/// Takes down what happens in a world.
#[derive(Debug)]
pub struct Trace {
    base: Instant,
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// An empty one that counts time from `base`, and writes lines if wanted.
    pub fn new(base: Instant, lines: bool) -> Self {
        Self { base, hash: 0xcbf2_9ce4_8422_2325, lines: lines.then(Vec::new) }
    }

    /// A datagram was sent.
    pub fn datagram(&mut self, now: Instant, person: &str, way: Way, datagram: &[u8], fate: Fate) {
        self.mix(self.nanos(now));
        self.mix(way as u64);
        person.bytes().for_each(|byte| self.mix(u64::from(byte)));
        self.mix(match fate {
            Fate::QueueFull => 1,
            Fate::Lost => 2,
            Fate::Arrives { at, again } => {
                self.nanos(at) ^ again.map_or(0, |again| self.nanos(again)).rotate_left(32)
            }
        });
        self.content(datagram);
        if self.lines.is_some() {
            let arrow = if way == Way::Up { "→" } else { "←" };
            let fate = match fate {
                Fate::QueueFull => "QUEUE FULL".to_owned(),
                Fate::Lost => "LOST".to_owned(),
                Fate::Arrives { at, again } => {
                    let after = at.saturating_duration_since(now);
                    format!("+{after:.1?}{}", if again.is_some() { " TWICE" } else { "" })
                }
            };
            self.line(now, format_args!("{person} {arrow} {} {fate}", Content(datagram)));
        }
    }

    /// A batch went from one unit to another.
    pub fn batch(&mut self, now: Instant, from: UnitId, batch: &[u8], arrives: Instant) {
        self.mix(self.nanos(now));
        self.mix(from.0);
        self.mix(self.nanos(arrives));
        self.content(batch);
        if self.lines.is_some() {
            let after = arrives.saturating_duration_since(now);
            self.line(now, format_args!("unit {from} relays {} bytes +{after:.1?}", batch.len()));
        }
    }

    /// Something else happened.
    pub fn event(&mut self, now: Instant, event: &dyn fmt::Debug) {
        self.mix(self.nanos(now));
        let text = format!("{event:?}");
        text.bytes().for_each(|byte| self.mix(u64::from(byte)));
        self.line(now, format_args!("{text}"));
    }

    /// Whether lines are wanted.
    pub fn has_lines(&self) -> bool {
        self.lines.is_some()
    }

    /// Something that explains what happens and is no part of it.
    pub fn note(&mut self, now: Instant, text: &str) {
        self.line(now, format_args!("{text}"));
    }

    fn line(&mut self, now: Instant, text: fmt::Arguments<'_>) {
        let at = self.since(now).as_secs_f64();
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{at:10.4} {text}"));
        }
    }

    /// Of everything so far. Equal worlds have equal ones.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The lines, if they were wanted.
    pub fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }

    fn since(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.base)
    }

    fn nanos(&self, at: Instant) -> u64 {
        self.since(at).as_nanos() as u64
    }

    fn content(&mut self, bytes: &[u8]) {
        self.mix(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.mix(u64::from(*byte)));
    }

    /// FNV-1a's step, on words.
    fn mix(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
    }
}

/// What can be said of a datagram without its keys (RFC 7983, RFC 3550 §5.1).
struct Content<'a>(&'a [u8]);

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.0.len();
        match self.0 {
            [0..=3, ..] => write!(f, "STUN {len}"),
            [22, kind, ..] => write!(f, "handshake {kind} {len}"),
            [128..=191, 192..=223, ..] => write!(f, "RTCP {len}"),
            [first @ 128..=191, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3, ..] => write!(
                f,
                "RTP {:08x} pt {} seq {} ts {}{}{} {len}",
                u32::from_be_bytes([*i0, *i1, *i2, *i3]),
                second & 0x7f,
                u16::from_be_bytes([*s0, *s1]),
                u32::from_be_bytes([*t0, *t1, *t2, *t3]),
                if second & 0x80 != 0 { " M" } else { "" },
                if first & 0x20 != 0 { " P" } else { "" },
            ),
            _ => write!(f, "? {len}"),
        }
    }
}
