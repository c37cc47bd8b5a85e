//! Everything that clients count, summed up.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use model::MediaKind;

use super::client::{Client, Role};
use crate::histogram::Histogram;

/// Packets of one kind that receivers got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Packets, doubles not counted.
    pub packets: u64,
    /// Their bytes, with headers.
    pub bytes: u64,
    /// Gaps in the sequence numbers.
    pub lost: u64,
    /// Packets that came more than once.
    pub doubled: u64,
    /// m-lines on which something has come.
    pub slots: usize,
}

/// A sum over clients since their beginning.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Publishers whose session is up.
    pub publishers: usize,
    /// Receivers whose session is up.
    pub receivers: usize,
    /// Clients that have failed.
    pub failed: usize,
    /// Video packets that publishers sent.
    pub sent_video: u64,
    /// Audio packets that publishers sent.
    pub sent_audio: u64,
    /// Frames that publishers never sent because the generator was too slow.
    pub skipped: u64,
    /// How late a frame was sent at most, since sources were last let go on.
    pub late_max: Duration,
    /// Datagrams that our own sockets did not take.
    pub dropped: u64,
    /// Key frames asked for by the server.
    pub key_frame_requests: u64,
    /// Video received.
    pub video: Received,
    /// Audio received.
    pub audio: Received,
    /// Retransmissions received.
    pub repairs: u64,
    /// Packets received of SSRCs that no answer declared.
    pub unknown: u64,
    /// Packets that were decrypted, by the receivers that do.
    pub decrypted: u64,
    /// Payloads that were looked into.
    pub verified: u64,
    /// Those of them that were not as they were sent.
    pub damaged: u64,
    /// Width and height of each video slot's picture, as its newest key frame said, where it was looked into.
    pub sizes: Vec<(u16, u16)>,
    /// Datagrams of reports and feedback that receivers sent.
    pub reports: u64,
    /// From a video packet's sending to its arrival, at the receivers that decrypt, where it is measured.
    pub delays: Histogram,
    /// Freezes of video slots.
    pub freezes: u64,
    /// Their length together.
    pub frozen: Duration,
    /// Video slots that are frozen now.
    pub frozen_now: usize,
    /// Milliseconds from the beginning of the join to the first media packet, of each receiver that got one.
    pub join_ms: Vec<f64>,
    /// Milliseconds from the beginning of the join until the session was up.
    pub connect_ms: Vec<f64>,
}

impl Totals {
    pub(super) fn add(&mut self, client: &Client, now: Instant) {
        self.failed += usize::from(client.failed);
        self.dropped += client.datagrams_dropped;
        let since_join = |at: Instant| at.saturating_duration_since(client.joined).as_secs_f64() * 1000.0;
        let up = usize::from(client.connected.is_some() && !client.failed);
        match &client.role {
            Role::Publisher(publisher) => {
                self.publishers += up;
                self.sent_video += publisher.sent_video();
                self.sent_audio += publisher.sent_audio();
                self.skipped += publisher.skipped();
                self.late_max = self.late_max.max(publisher.late_max());
                self.key_frame_requests += publisher.key_frame_requests();
            }
            Role::Receiver(receiver) => {
                self.receivers += up;
                self.reports += client.reports_sent;
                self.delays += receiver.delays();
                self.connect_ms.extend(client.connected.map(since_join));
                self.join_ms.extend(receiver.first_media().map(since_join));
                let (repairs, unknown, decrypted) = receiver.others();
                self.repairs += repairs;
                self.unknown += unknown;
                self.decrypted += decrypted;
                let (verified, damaged) = receiver.verified();
                self.verified += verified;
                self.damaged += damaged;
                self.sizes.extend(receiver.slots().iter().filter_map(|slot| slot.size));
                for slot in receiver.slots() {
                    let of_kind =
                        if slot.kind == MediaKind::Video { &mut self.video } else { &mut self.audio };
                    *of_kind += Received {
                        packets: slot.sequence.received(),
                        bytes: slot.bytes,
                        lost: slot.sequence.lost(),
                        doubled: slot.sequence.doubled(),
                        slots: usize::from(slot.sequence.received() > 0),
                    };
                    self.freezes += slot.frames.freezes();
                    self.frozen += slot.frames.frozen();
                    self.frozen_now += usize::from(slot.frames.is_frozen(now));
                }
            }
        }
    }

    /// What was counted after the earlier reading. States (sessions up, slots, sizes, frozen now, join times) stay as they are.
    pub fn since(mut self, earlier: &Self) -> Self {
        let fields = [
            (&mut self.sent_video, earlier.sent_video),
            (&mut self.sent_audio, earlier.sent_audio),
            (&mut self.skipped, earlier.skipped),
            (&mut self.dropped, earlier.dropped),
            (&mut self.key_frame_requests, earlier.key_frame_requests),
            (&mut self.repairs, earlier.repairs),
            (&mut self.unknown, earlier.unknown),
            (&mut self.decrypted, earlier.decrypted),
            (&mut self.verified, earlier.verified),
            (&mut self.damaged, earlier.damaged),
            (&mut self.reports, earlier.reports),
            (&mut self.freezes, earlier.freezes),
        ];
        for (field, earlier) in fields {
            *field = field.saturating_sub(earlier);
        }
        self.delays = self.delays.since(&earlier.delays);
        self.frozen = self.frozen.saturating_sub(earlier.frozen);
        self.video = self.video.since(&earlier.video);
        self.audio = self.audio.since(&earlier.audio);
        self
    }
}

impl Received {
    fn since(self, earlier: &Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(earlier.packets),
            bytes: self.bytes.saturating_sub(earlier.bytes),
            // What was missing at the earlier reading may have come since.
            lost: self.lost.saturating_sub(earlier.lost),
            doubled: self.doubled.saturating_sub(earlier.doubled),
            slots: self.slots,
        }
    }
}

impl AddAssign for Received {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.slots += other.slots;
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.publishers += other.publishers;
        self.receivers += other.receivers;
        self.failed += other.failed;
        self.sent_video += other.sent_video;
        self.sent_audio += other.sent_audio;
        self.skipped += other.skipped;
        self.late_max = self.late_max.max(other.late_max);
        self.dropped += other.dropped;
        self.key_frame_requests += other.key_frame_requests;
        self.video += other.video;
        self.audio += other.audio;
        self.repairs += other.repairs;
        self.unknown += other.unknown;
        self.decrypted += other.decrypted;
        self.verified += other.verified;
        self.damaged += other.damaged;
        self.sizes.extend(other.sizes);
        self.reports += other.reports;
        self.delays += &other.delays;
        self.freezes += other.freezes;
        self.frozen += other.frozen;
        self.frozen_now += other.frozen_now;
        self.join_ms.extend(other.join_ms);
        self.connect_ms.extend(other.connect_ms);
    }
}
