//! Datagrams come in: told apart (RFC 7983), given to their peer, and media into the history of its encoding.

use std::time::Instant;

use model::datagram::Transport;
use model::{Codec, MediaKind};
use rtc::ice::Stun;
use rtc::ice::StunMessage;
use rtc::payload::red;
use rtc::rtcp::NtpTime;
use rtc::{Feedback, Received};

use crate::capture::MediaClock;
use crate::history::Stored;
use crate::keyframe::Urgency;
use crate::relay::Layers;
use crate::svc::{Incoming, Ladder};
use crate::timeline::PictureIds;
use crate::track::SlotRef;
use crate::unit::Unit;

/// What another unit says of a packet that it relays.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Crossed {
    /// When it was captured.
    pub(crate) captured: Option<Instant>,
    /// The layers that come whole with its picture; `None`: all.
    pub(crate) layers: Option<Layers>,
    /// How long its payload was, where only the head came.
    pub(crate) whole_len: Option<u16>,
}

/// Datagrams longer than this are no media, STUN or DTLS of a client; the path would have to carry jumbo frames.
const DATAGRAM_BYTES_MAX: usize = 2048;

impl Unit {
    /// Takes a datagram that came in on one of our addresses. It is decrypted in place.
    pub fn handle_datagram(&mut self, now: Instant, transport: Transport, datagram: &mut [u8]) {
        self.counters.datagrams_received += 1;
        if datagram.len() > DATAGRAM_BYTES_MAX {
            self.counters.datagrams_garbage += 1;
            return;
        }
        match datagram {
            [0..=3, ..] => self.handle_stun(now, transport, datagram),
            [20..=63, ..] => self.handle_dtls(now, transport, datagram),
            [128..=191, 192..=223, ..] => self.handle_rtcp(now, transport, datagram),
            [128..=191, _, ..] => self.handle_rtp(now, transport, datagram),
            _ => self.counters.datagrams_garbage += 1,
        }
    }

    fn handle_stun(&mut self, now: Instant, transport: Transport, datagram: &[u8]) {
        let Ok(message) = StunMessage::parse(datagram) else {
            self.counters.stun_refused += 1;
            return;
        };
        // The user name says whose it is, also on a transport that was another client's before: addresses are reused.
        let peer = rtc::ice::local_ufrag(&message).and_then(|ufrag| self.by_ufrag.get(ufrag)).copied();
        let Some(peer) = peer else {
            self.counters.datagrams_unknown += 1;
            return;
        };
        let Some(known) = self.peers.get_mut(peer as usize) else { return };
        let by_transport = &mut self.by_transport;
        let forgotten = |old| {
            by_transport.remove(&old);
        };
        match known.endpoint.handle_stun(now, transport, message, &mut self.outbox, forgotten) {
            Stun::Refused => self.counters.stun_refused += 1,
            Stun::Accepted => {
                // Cheap where nothing changed; needed where another client had taken the transport over.
                self.by_transport.insert(transport, peer);
            }
            Stun::NewTransport => {
                self.by_transport.insert(transport, peer);
            }
        }
        self.take_events(now, peer);
    }

    fn handle_dtls(&mut self, now: Instant, transport: Transport, datagram: &[u8]) {
        let Some(&peer) = self.by_transport.get(&transport) else {
            self.counters.datagrams_unknown += 1;
            return;
        };
        if let Some(known) = self.peers.get_mut(peer as usize) {
            known.endpoint.handle_dtls(now, transport, datagram, &mut self.outbox);
        }
        self.take_events(now, peer);
    }

    fn handle_rtcp(&mut self, now: Instant, transport: Transport, packet: &mut [u8]) {
        let Some(&peer) = self.by_transport.get(&transport) else {
            self.counters.datagrams_unknown += 1;
            return;
        };
        let mut feedback = std::mem::take(&mut self.feedback);
        feedback.clear();
        if let Some(endpoint) = self.endpoint(peer)
            && !endpoint.handle_rtcp(now, packet, &mut feedback)
        {
            self.counters.packets_refused += 1;
        }
        for item in feedback.drain(..) {
            match item {
                Feedback::Lost { line, sequence } => self.retransmit(now, peer, line, sequence),
                Feedback::KeyFrame { line } => self.handle_key_frame_request(SlotRef { peer, line }),
                Feedback::Clock { line, layer, ntp, timestamp } => {
                    self.set_clock(now, (peer, line, layer), ntp, timestamp);
                }
            }
        }
        self.feedback = feedback;
        self.take_events(now, peer);
    }

    fn handle_rtp(&mut self, now: Instant, transport: Transport, packet: &mut [u8]) {
        let Some(&peer) = self.by_transport.get(&transport) else {
            self.counters.datagrams_unknown += 1;
            return;
        };
        let Some(known) = self.peers.get_mut(peer as usize) else { return };
        let received = known.endpoint.handle_rtp(now, packet);
        // Feedback about what came in is due soon after the first packet of a batch.
        if let Some(deadline) = known.endpoint.poll_timeout() {
            crate::unit::reschedule(&mut self.timers, now, peer, deadline);
        }
        let received = match received {
            rtc::RtpOutcome::Media(received) => received,
            rtc::RtpOutcome::Consumed => return,
            rtc::RtpOutcome::Refused => {
                self.counters.packets_refused += 1;
                return;
            }
        };
        self.counters.packets_received += 1;
        self.counters.bytes_received += packet.len() as u64;
        let Some(track) = known.tracks.get(usize::from(received.line)).copied().flatten() else { return };
        let meeting = known.meeting;
        if let Some(level) = received.carried.audio_level {
            self.hear(now, meeting, track, level.level_dbov);
        }
        let Some(payload) = packet.get(received.payload.clone()) else { return };
        let descriptor = packet.get(received.descriptor.clone()).unwrap_or_default();
        self.take_in(now, track, Crossed::default(), &received, payload, descriptor);
    }

    /// A sender tells the time of an encoding.
    fn set_clock(&mut self, now: Instant, (peer, line, layer): (u32, u16, u8), ntp: NtpTime, timestamp: u32) {
        let Some(known) = self.peers.get_mut(peer as usize) else { return };
        let at = known.clock.report(now, ntp);
        let Some(track) = known.tracks.get(usize::from(line)).copied().flatten() else { return };
        self.with_encoding(track, layer, |encoding| {
            let rate_hz = encoding.codec.map_or(90_000, |codec| codec.clock_rate_hz());
            encoding.clock = Some(MediaClock { timestamp, at, rate_hz });
        });
    }

    /// Puts a packet into the history of its encoding and marks it to be sent on with this pass.
    pub(crate) fn take_in(
        &mut self,
        now: Instant,
        track: u32,
        crossed: Crossed,
        received: &Received,
        payload: &[u8],
        descriptor: &[u8],
    ) {
        let Some(published) = self.tracks.get_mut(track as usize).and_then(|t| t.published.as_mut()) else {
            return;
        };
        if published.muted {
            self.counters.packets_muted += 1;
            return;
        }
        let Some(agreed) = published.codecs.iter().find(|c| c.carries(received.payload_type)) else { return };
        let codec = agreed.codec;
        let primary_at = match agreed.red_pt == Some(received.payload_type) {
            true => red::primary_at(payload, agreed.pt).and_then(|at| u16::try_from(at).ok()).unwrap_or(0),
            false => 0,
        };
        let captured_lately = published.captured_lately(now, received.layer);
        let Some(encoding) = published.encodings.get_mut(usize::from(received.layer)) else { return };
        // A sender may go over to another codec within a stream: what is decoded so far ends, as with another source.
        let recoded =
            codec.kind() == MediaKind::Video && encoding.codec.is_some_and(|former| former != codec);
        if recoded && received.sequence < encoding.codec_from {
            // Late, in the former codec.
            return;
        }
        if recoded {
            encoding.codec_from = received.sequence;
        }
        let restarted = received.restarted || recoded;
        let bytes = crossed.whole_len.map_or(payload.len(), usize::from);
        let awoke = encoding.count(now, bytes);
        let key_frame = rtc::payload::key_frame_start(codec, payload);
        let incoming = Incoming {
            now,
            codec,
            payload,
            bytes,
            layers: crossed.layers,
            marker: received.marker,
            key_frame: key_frame.is_some(),
            descriptor,
        };
        if restarted {
            encoding.ladder = None;
            (encoding.clock, encoding.captured) = (None, None);
        }
        let told = Ladder::take_in(&mut encoding.ladder, &incoming);
        let begins_key_frame = key_frame.is_some() || told.key_frame;
        let mut news = awoke || told.news || encoding.codec.replace(codec) != Some(codec);
        let described_size = || encoding.ladder.as_ref().filter(|_| told.news).and_then(|l| l.size());
        if let Some(size) = key_frame.and_then(|k| k.size).or_else(described_size)
            && size != encoding.size
        {
            encoding.size = size;
            news = true;
        }
        if encoding.clock.is_none() {
            let of_this_picture =
                |at| MediaClock { timestamp: received.timestamp, at, rate_hz: codec.clock_rate_hz() };
            encoding.clock = captured_lately.map(of_this_picture);
        }
        encoding.captured = encoding.clock.and_then(|clock| clock.captured(now, received.timestamp));
        let captured = crossed.captured.or(encoding.captured).unwrap_or(now);
        let packet = Stored {
            sequence: received.sequence,
            timestamp: received.timestamp,
            marker: received.marker,
            payload_type: received.payload_type,
            captured,
            restarted,
            head_only: crossed.whole_len.is_some(),
            // Sound can be joined at any packet.
            key_frame: begins_key_frame || codec.kind() == MediaKind::Audio,
            primary_at,
            ids: picture_ids(codec, payload),
            ssrc: received.ssrc,
            carried: received.carried,
            mark: told.mark,
            bytes: Vec::new(),
            payload_len: 0,
        };
        if encoding.history.insert(now, packet, payload, descriptor) {
            if encoding.arrived.is_empty() {
                self.touched.push((track, received.layer));
            }
            encoding.arrived.push(received.sequence);
        }
        if restarted {
            // Another source took the encoding over: what its receivers decode has ended.
            let watchers = encoding.watchers.clone();
            for slot in watchers {
                self.stop_showing(slot, received.layer);
            }
            self.want_key_frame(track, received.layer, Urgency::Urgent);
        }
        if news {
            self.track_changed(track);
        }
        // Last, for what was wished for until now is here: whoever waits begins with this packet, in this pass.
        if let Some(encoding) = self.encoding_mut(track, received.layer) {
            if begins_key_frame {
                encoding.requests.satisfied();
            } else if awoke && !encoding.watchers.is_empty() {
                // It was switched on for somebody, and does not begin with what they need.
                self.want_key_frame(track, received.layer, Urgency::Urgent);
            }
        }
    }
}

fn picture_ids(codec: Codec, payload: &[u8]) -> Option<PictureIds> {
    if codec != Codec::Vp8 {
        return None;
    }
    let descriptor = rtc::payload::vp8::Descriptor::parse(payload)?;
    Some(PictureIds {
        picture_id: descriptor.picture_id?.value(),
        tl0_pic_idx: descriptor.tl0_picture_index.unwrap_or(0),
    })
}
