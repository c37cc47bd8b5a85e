//! How much the path to a receiver carries: Google congestion control (draft-ietf-rmcat-gcc-02, and libwebrtc where it
//! has moved on) from transport-wide feedback, or the receiver's own estimate (REMB) where there is none.
//!
//! Three things make the target: a rate that the delay allows ([`aimd`], told by [`trendline`] whether queues grow and by
//! [`acknowledged`] what arrives), a rate that losses allow ([`loss`]), and probes ([`probes`]) that find out what lies
//! above what is sent. Nothing here has a timer for each packet; a packet sent costs one line in a ring.

mod acknowledged;
mod aimd;
mod application_limited;
mod inter_arrival;
mod loss;
mod probe_rate;
mod probes;
mod sent_log;
mod standing;
mod trendline;

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;
use model::Bitrate;

use crate::bandwidth::Bandwidth;
use crate::rtcp::TransportFeedback;
use acknowledged::Acknowledged;
use aimd::Aimd;
use application_limited::ApplicationLimited;
use inter_arrival::InterArrival;
use loss::{Counts, Loss};
use probe_rate::ProbeRate;
use probes::Probes;
use sent_log::{Sent, SentLog};
use standing::Standing;
use trendline::{Trendline, Usage};

/// What is taken for granted until something is known: a small picture with sound. libwebrtc begins with 300 kbit/s;
/// since then few paths carry less than half a megabit.
pub const START: Bitrate = Bitrate::from_kbps(500);
/// It never falls below: sound passes whatever is estimated.
pub const MIN: Bitrate = Bitrate::from_kbps(30);
/// While there is a probe, [`Estimator::poll_probe`] wants to be called so often.
pub const PROBE_BURST_INTERVAL: Duration = Duration::from_millis(5);

/// A change of the target below this share is not worth a new decision.
const CHANGE_SHARE: f64 = 0.03;
/// Taken for the round trip until one was measured.
const ROUND_TRIP_US: i64 = 200_000;
/// Without feedback for so long, what was known of delays is out of date.
const STALE_US: i64 = 2_000_000;
/// Without feedback although packets were sent, the rate falls by a fifth in each second.
const UNHEARD_US: i64 = 2_000_000;
const UNHEARD_PACKETS: u64 = 10;
const UNHEARD_FACTOR: f64 = 0.8;
/// Until something is heard for the first time, for so long the path is taken to be good; then the rate halves in each
/// second. The receiver may be behind a path that is full of what it is sent, and lack a part of its handshake.
const SILENT_US: i64 = 1_500_000;
const SILENT_FACTOR: f64 = 0.5;
/// After so many packets and so long without any feedback ever, the receiver is one that agreed to send it and does not.
const MUTE_US: i64 = 4_000_000;
const MUTE_PACKETS: u64 = 100;
/// After a reduction, so long without another is calm.
const CALM_US: i64 = 500_000;
/// Of what is sent, this part at least arrives when the path is not full.
const DELIVERED: f64 = 0.85;
/// Units of the receiver's clock: two thousand years.
const REFERENCE_MAX: i64 = 1 << 40;
/// Of what a probe has shown, so much is used when queues grow.
const PROBED_FULL_SHARE: f64 = 0.85;
/// Sent and arrived differ by so much that measuring begins anew.
const FAR_OFF: f64 = 1.4;
/// After a reduction, for so long the target is taken for all that passes.
const CONGESTED_US: i64 = 5_000_000;
/// So long after the first feedback, what is estimated counts even if no probe was answered.
const FIRST_LOOK_US: i64 = 1_500_000;
/// Between two feedbacks, at most so many packets are taken for lost.
const PASSED_OVER_MAX: u16 = 2_048;
/// Packets are put in the order of arrival in groups of so many: reordering on paths is local.
const BATCH: usize = 64;

/// What is to be sent now of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The rate that is tried.
    pub target: Bitrate,
    /// Bytes to be sent now, with those of the media that is sent anyway.
    pub bytes: usize,
}

/// A packet that arrived.
#[derive(Debug, Clone, Copy)]
struct Arrived {
    sent: Sent,
    arrival_us: i64,
}

/// Estimates the bandwidth towards one receiver.
#[derive(Debug)]
pub struct Estimator {
    epoch: Instant,
    log: SentLog,
    sent_bytes: u64,
    sent_packets: u64,
    /// Packets when the last feedback came.
    heard_packets: u64,
    /// Transport-wide feedback was agreed on.
    numbered: bool,
    /// When the first numbered packet was sent.
    first_sent_us: Option<i64>,
    /// The receiver agreed to send feedback, and does not.
    mute: bool,
    /// The receiver has told something, if not what was agreed on.
    spoke: bool,
    heard_us: Option<i64>,
    /// The receiver's clock, in units of 64 ms.
    reference: Option<i64>,
    /// What follows the last feedback: its count, and the first sequence number that was not told of.
    follows: Option<(u8, u16)>,
    arrivals: InterArrival,
    trendline: Trendline,
    acknowledged: Acknowledged,
    standing: Standing,
    aimd: Aimd,
    loss: Loss,
    limited: ApplicationLimited,
    probe_rate: ProbeRate,
    probes: Probes,
    remb: Option<f64>,
    round_trip: Option<Duration>,
    /// The time from a packet to feedback that tells of it, the last one. Queues show in it at once; reports are rare.
    feedback_trip: Option<Duration>,
    /// Since when there is feedback.
    first_heard_us: Option<i64>,
    /// A probe was answered.
    probed: bool,
    /// The first look at the path is over. Before it, the rate is a guess, which must keep nobody from a picture.
    known: bool,
    /// Target and whether losses are high, as was told last.
    told: Option<(f64, bool)>,
}

impl Estimator {
    /// Knows nothing of its path.
    pub fn new(now: Instant) -> Self {
        let (start, min) = (START.as_bps() as f64, MIN.as_bps() as f64);
        Self {
            epoch: now,
            log: SentLog::new(),
            sent_bytes: 0,
            sent_packets: 0,
            heard_packets: 0,
            numbered: false,
            first_sent_us: None,
            mute: false,
            spoke: false,
            heard_us: None,
            reference: None,
            follows: None,
            arrivals: InterArrival::default(),
            trendline: Trendline::new(),
            acknowledged: Acknowledged::new(),
            standing: Standing::default(),
            aimd: Aimd::new(0, start, min),
            loss: Loss::new(0, min),
            limited: ApplicationLimited::default(),
            probe_rate: ProbeRate::default(),
            probes: Probes::new(),
            remb: None,
            round_trip: None,
            feedback_trip: None,
            first_heard_us: None,
            probed: false,
            known: false,
            told: None,
        }
    }

    /// Forgets the path: it is another one now. What is wanted, and how the receiver reports, stays.
    pub fn restart(&mut self, now: Instant) {
        let mut fresh = Self::new(now);
        fresh.numbered = self.numbered;
        fresh.probes.set_wanted(self.probes.wanted());
        fresh.told = self.told;
        *self = fresh;
    }

    #[inline]
    fn us(&self, at: Instant) -> i64 {
        let passed = at.saturating_duration_since(self.epoch);
        (passed.as_secs() * 1_000_000) as i64 + i64::from(passed.subsec_micros())
    }

    fn round_trip_us(&self) -> i64 {
        self.round_trip.map_or(ROUND_TRIP_US, |r| i64::try_from(r.as_micros()).unwrap_or(ROUND_TRIP_US))
    }

    /// Whether transport-wide feedback was agreed on, so that packets are numbered.
    pub fn set_numbered(&mut self, numbered: bool) {
        self.numbered = numbered;
    }

    /// A packet was sent: its bytes above UDP, and its transport-wide sequence number where it has one.
    #[inline]
    pub fn handle_sent(&mut self, now: Instant, sequence: Option<u16>, bytes: usize) {
        self.sent_bytes += bytes as u64;
        let Some(sequence) = sequence else {
            return self.log.add_unnumbered(bytes);
        };
        let now_us = self.us(now);
        self.first_sent_us.get_or_insert(now_us);
        self.sent_packets += 1;
        self.log.push(now_us, sequence, bytes, self.probes.cluster());
        self.probes.sent(bytes);
    }

    /// Takes feedback. What it says of packets that were never sent, or were reported before, is passed over.
    pub fn handle_feedback(&mut self, now: Instant, feedback: &TransportFeedback<'_>) {
        let now_us = self.us(now);
        let reference_us = self.extend_reference(feedback.reference_time) * 64_000;
        if self.heard_us.is_none_or(|at| now_us - at > STALE_US) {
            self.forget_delays();
        }
        let was_over = self.usage() == Usage::Over;
        let (mut told, mut counts) = (false, Counts::default());
        // What was sent before the last reduction was sent at a rate that is known to have been too high.
        let reduced_us = self.aimd.decreased_us().max(self.loss.reduced_us()).unwrap_or(i64::MIN);
        let mut newest_sent_us = None;
        let mut batch = ArrayVec::<Arrived, BATCH>::new();
        for sequence in self.passed_over(feedback) {
            let sent = self.count_lost(now_us, sequence);
            told |= sent.is_some();
            counts.lost += u32::from(sent.is_some_and(|s| s.sent_us > reduced_us));
        }
        for status in feedback.statuses() {
            let Some(offset_us) = status.arrival_us else {
                let sent = self.count_lost(now_us, status.sequence_number);
                told |= sent.is_some();
                counts.lost += u32::from(sent.is_some_and(|s| s.sent_us > reduced_us));
                continue;
            };
            let Some(sent) = self.log.received(now_us, status.sequence_number) else { continue };
            told = true;
            if sent.sent_us > reduced_us {
                counts.received += 1;
                counts.late += u32::from(sent.was_lost);
            }
            newest_sent_us = newest_sent_us.max(Some(sent.sent_us));
            batch.push(Arrived { sent, arrival_us: reference_us + offset_us });
            if batch.is_full() {
                self.take_arrivals(now_us, &mut batch);
            }
        }
        self.take_arrivals(now_us, &mut batch);
        if !told {
            return;
        }
        self.heard_us = Some(now_us);
        self.spoke = true;
        self.mute = false;
        self.heard_packets = self.sent_packets;
        if let Some(sent_us) = newest_sent_us {
            let took = Duration::from_micros(u64::try_from(now_us - sent_us).unwrap_or(0));
            self.feedback_trip = Some(took);
            self.round_trip.get_or_insert(took);
        }
        let rate = self.aimd.rate();
        self.limited.update(now_us, self.sent_bytes, rate);
        // A layer was switched, or the path changed: what was measured before says little.
        let sent_rate = self.limited.sent_rate();
        if self.acknowledged.rate().is_some_and(|t| t * FAR_OFF < sent_rate || sent_rate * FAR_OFF < t) {
            self.acknowledged.expect_fast_change();
        }
        let was_high = self.loss.is_high();
        let lowered_us = self.loss.reduced_us();
        self.loss.count(counts, self.path(now_us, rate));
        if self.loss.reduced_us() != lowered_us {
            self.probes.target_fell();
        }
        let congested = self.usage() == Usage::Over || self.loss.is_high();
        if congested && !(was_over || was_high) {
            self.acknowledged.expect_fast_change();
        }
        self.decide(now_us);
    }

    /// What lies between two feedbacks that follow each other. Some receivers begin each with a packet that arrived, so
    /// this is where most losses of a bad path are.
    fn passed_over(&mut self, feedback: &TransportFeedback<'_>) -> impl Iterator<Item = u16> + use<> {
        let base = feedback.base_sequence_number;
        let next = (feedback.feedback_count.wrapping_add(1), base.wrapping_add(feedback.status_count));
        let former = self.follows.replace(next);
        let from =
            former.filter(|(count, _)| *count == feedback.feedback_count).map_or(base, |(_, from)| from);
        // Further ahead is backwards: told of twice.
        let passed = Some(base.wrapping_sub(from)).filter(|passed| *passed < PASSED_OVER_MAX).unwrap_or(0);
        (0..passed).map(move |n| from.wrapping_add(n))
    }

    /// The packet, if it was not known to be lost.
    fn count_lost(&mut self, now_us: i64, sequence: u16) -> Option<Sent> {
        let sent = self.log.lost(now_us, sequence)?;
        if sent.cluster != 0 {
            self.probe_rate.lost(sent.cluster);
        }
        Some(sent)
    }

    fn path(&self, now_us: i64, delay_rate: f64) -> loss::Path {
        let (round_trip_us, throughput) = (self.round_trip_us(), self.throughput());
        loss::Path { now_us, round_trip_us, delay_rate, throughput }
    }

    /// The receiver's clock has 24 bits, and feedback may come in any order.
    fn extend_reference(&mut self, reference: u32) -> i64 {
        let last = self.reference.unwrap_or(i64::from(reference));
        // The difference of 24 bits, with its sign.
        let step = i64::from(((reference.wrapping_sub(last as u32) << 8) as i32) >> 8);
        // A clock that is made to run around and around begins anew before its numbers overflow.
        let extended = Some(last + step).filter(|r| r.abs() < REFERENCE_MAX);
        *self.reference.insert(extended.unwrap_or(i64::from(reference)))
    }

    fn take_arrivals(&mut self, now_us: i64, batch: &mut ArrayVec<Arrived, BATCH>) {
        if !batch.is_sorted_by_key(|a| a.arrival_us) {
            batch.sort_by_key(|a| a.arrival_us);
        }
        for Arrived { sent, arrival_us } in batch.drain(..) {
            self.acknowledged.update(arrival_us, sent.bytes);
            self.standing.update(sent.sent_us, arrival_us, sent.bytes);
            if sent.cluster != 0 {
                self.probe_rate.received(sent.cluster, sent.sent_us, arrival_us, sent.bytes);
            }
            if let Some(deltas) = self.arrivals.update(now_us, sent.sent_us, arrival_us) {
                self.trendline.update(deltas.send_us, deltas.arrival_us, arrival_us);
            }
        }
    }

    /// Brings the rates in line with what is known now.
    fn decide(&mut self, now_us: i64) {
        let usage = self.usage();
        let throughput = self.throughput();
        if !self.take_probes(now_us, usage) {
            let (before, decreased_us) = (self.aimd.rate(), self.aimd.decreased_us());
            self.aimd.update(aimd::Input {
                now_us,
                usage: self.usage_of_rate(now_us, usage),
                throughput,
                round_trip_us: self.round_trip_us(),
                application_limited: self.is_application_limited(),
            });
            // The first time, that may be more than what it was taken for.
            if self.aimd.rate() < before || self.aimd.decreased_us() != decreased_us {
                self.probes.target_fell();
            }
        }
        self.plan_probe(now_us, usage);
        self.look(now_us);
    }

    /// Whether the path is known by now: a probe has shown what it carries, or queues and losses have.
    fn look(&mut self, now_us: i64) {
        let first_us = *self.first_heard_us.get_or_insert(now_us);
        let answered = self.probed && !self.probes.is_busy();
        let full = self.aimd.decreased_us().is_some() || self.loss.is_high();
        self.known |= answered || full || now_us - first_us > FIRST_LOOK_US;
    }

    /// Takes what probes have shown. True: more passes than was known.
    fn take_probes(&mut self, now_us: i64, usage: Usage) -> bool {
        let Some(shown) = self.probes.take_answers(now_us, &mut self.probe_rate) else { return false };
        self.probed = true;
        // That a queue grew says that the probe was too much: its rate is used in part.
        let rate = if usage == Usage::Over { PROBED_FULL_SHARE * shown } else { shown };
        if usage == Usage::Over || self.loss.is_high() {
            // What was sent beside it took its part of the path too, and is less by now.
            self.probes.target_fell();
        }
        if rate <= self.aimd.rate().min(self.loss.cap().unwrap_or(f64::MAX)) {
            return false;
        }
        self.loss.raise(rate);
        if rate > self.aimd.rate() {
            self.aimd.set(now_us, rate);
        }
        true
    }

    fn plan_probe(&mut self, now_us: i64, usage: Usage) {
        let settled = self.aimd.decreased_us().is_none_or(|at| now_us - at >= CALM_US);
        let calm = usage != Usage::Over && settled && !self.loss.is_high();
        if self.numbered
            && !self.mute
            && let Some(target) = self.rate()
        {
            self.probes.plan(now_us, target, calm);
        }
    }

    /// Takes what a receiver reports of losses (RFC 3550 §6.4.1, the worst of its streams) and of the round trip.
    /// Losses count only where there is no transport-wide feedback, which tells more.
    pub fn handle_report(&mut self, now: Instant, lost: f32, round_trip: Option<Duration>) {
        self.round_trip = round_trip.or(self.round_trip);
        self.spoke = true;
        if !self.numbered {
            let rate = self.remb.unwrap_or(START.as_bps() as f64);
            self.loss.update(lost.into(), self.path(self.us(now), rate));
        }
    }

    /// Takes the receiver's own estimate. It counts only where there is no transport-wide feedback.
    pub fn handle_remb(&mut self, bitrate: Bitrate) {
        self.spoke = true;
        self.remb = Some((bitrate.as_bps() as f64).max(MIN.as_bps() as f64));
    }

    /// Time has come; call it about once in a second.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now_us = self.us(now);
        if let Some(heard_us) = self.heard_us
            && now_us - heard_us > UNHEARD_US + self.round_trip_us()
            && self.sent_packets - self.heard_packets >= UNHEARD_PACKETS
        {
            self.aimd.scale(now_us, UNHEARD_FACTOR);
            // The next step needs packets of its own.
            self.heard_packets = self.sent_packets;
        } else if self.heard_us.is_some_and(|at| now_us - at > STALE_US) {
            self.forget_distress();
        }
        if let Some(first_us) = self.first_sent_us
            && self.heard_us.is_none()
        {
            let silent_us = now_us - first_us;
            self.mute = self.spoke && self.sent_packets >= MUTE_PACKETS && silent_us > MUTE_US;
            if !self.spoke && self.sent_packets >= UNHEARD_PACKETS && silent_us > SILENT_US {
                self.known = true;
                self.aimd.scale(now_us, SILENT_FACTOR);
            }
        }
        let usage = self.usage();
        self.take_probes(now_us, usage);
        self.plan_probe(now_us, usage);
    }

    /// Hardly anything is sent, so nothing is told: a queue and losses of the past must not keep probes away for ever
    /// from somebody for whom everything was stopped because of them.
    fn forget_distress(&mut self) {
        self.forget_delays();
        self.loss.forget_share();
    }

    fn forget_delays(&mut self) {
        self.arrivals = InterArrival::default();
        self.trendline = Trendline::new();
        self.standing = Standing::default();
    }

    /// What the path's queues do.
    fn usage(&self) -> Usage {
        if self.standing.is_full(self.limited.sent_rate()) { Usage::Over } else { self.trendline.usage() }
    }

    /// What the queues say of the rate, which is not always what they do.
    fn usage_of_rate(&self, now_us: i64, usage: Usage) -> Usage {
        // The small queue that a probe has made says that the probe was too much, not what is sent beside it.
        let small = !self.standing.is_full(self.limited.sent_rate());
        let of_probe = usage == Usage::Over && small && self.probes.is_felt(now_us);
        // A queue that neither grows nor shrinks is no reason to send more.
        let stands = usage == Usage::Normal && self.standing.rate().is_some_and(|r| r < self.aimd.rate());
        if of_probe || stands { Usage::Under } else { usage }
    }

    /// What arrives, in bit/s; while a queue stands, what the path carries.
    fn throughput(&self) -> Option<f64> {
        self.standing.rate().or(self.acknowledged.rate())
    }

    /// What a queue has shown that the path carries, in bit/s. Where as much arrives as is sent, what looks like a queue
    /// may as well be a longer way.
    fn shown(&self) -> Option<f64> {
        let sent = self.limited.sent_rate();
        self.standing.rate().filter(|rate| !(DELIVERED * sent..sent / DELIVERED).contains(rate))
    }

    /// Less is sent than might be, what is sent arrives, and no queue has shown what the path carries: what arrives says
    /// nothing of it.
    fn is_application_limited(&self) -> bool {
        let sent = self.limited.sent_rate();
        let less = self.limited.is_limited() || sent < DELIVERED * self.aimd.rate();
        let delivered = self.acknowledged.rate().is_some_and(|rate| rate >= DELIVERED * sent);
        less && delivered && self.shown().is_none()
    }

    /// In bit/s. `None`: the receiver tells nothing.
    fn rate(&self) -> Option<f64> {
        let rate = if self.numbered && !self.mute { self.aimd.rate() } else { self.remb? };
        Some(self.loss.cap().map_or(rate, |cap| cap.min(rate)))
    }

    fn is_congested(&self) -> bool {
        let reduced = self.aimd.decreased_us();
        let since = self.heard_us.zip(reduced);
        // Nothing was ever heard, and waiting has ended.
        let silent = !self.spoke && reduced.is_some();
        // The receiver's own estimate says nothing of how it was made.
        !self.numbered
            || silent
            || self.loss.is_high()
            || since.is_some_and(|(now, at)| now - at < CONGESTED_US)
    }

    /// What the path carries. The target is `None` until something is known of it.
    pub fn bandwidth(&self) -> Bandwidth {
        let known = self.known || !self.numbered;
        Bandwidth {
            target: self.rate().filter(|_| known).map(|rate| Bitrate::from_bps(rate as u64)),
            congested: self.is_congested(),
            round_trip: self.feedback_trip.or(self.round_trip),
            loss: self.loss.smoothed() as f32,
        }
    }

    /// Whether the bandwidth has changed by 3 % or more, or losses have become many or few, since this was asked last.
    pub fn take_change(&mut self) -> bool {
        let high = self.loss.is_high();
        let now = self.rate().filter(|_| self.known || !self.numbered).map(|rate| (rate, high));
        let same = match (self.told, now) {
            (None, None) => true,
            (Some((told, was_high)), Some((rate, high))) => {
                (rate - told).abs() < CHANGE_SHARE * told && high == was_high
            }
            _ => false,
        };
        if !same {
            self.told = now;
        }
        !same
    }

    /// What all the streams that are wanted would cost at their best. Probes go up to half as much again, and there are
    /// none while so much is known to pass.
    pub fn set_wanted(&mut self, now: Instant, wanted: Bitrate) {
        self.probes.set_wanted(wanted.as_bps() as f64);
        let now_us = self.us(now);
        self.plan_probe(now_us, self.usage());
    }

    /// Whether a probe runs or is to begin: then [`Estimator::poll_probe`] is to be called.
    pub fn wants_probe(&self) -> bool {
        self.probes.is_due()
    }

    /// What is to be sent now of a probe. `None`: there is none (any more). While there is one, call it again every
    /// [`PROBE_BURST_INTERVAL`]; every packet that is sent meanwhile is part of it.
    pub fn poll_probe(&mut self, now: Instant) -> Option<Probe> {
        let now_us = self.us(now);
        let (rate, bytes) = self.probes.poll(now_us, self.round_trip_us())?;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Some(Probe { target: Bitrate::from_bps(rate as u64), bytes })
    }
}
