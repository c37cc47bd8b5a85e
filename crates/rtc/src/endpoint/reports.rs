//! RTCP of a connection: what the client reports and asks for, and what it is told.

use std::time::Instant;

use model::datagram::Outbox;

use super::{BLOCKS_MAX, Endpoint, Feedback};
use crate::rtcp::{self, Compound, Packet};

/// Sender reports in one datagram: 28 bytes each, well below any MTU.
const REPORTS_PER_DATAGRAM: usize = 30;
/// Bytes of feedback in one datagram.
const RTCP_BYTES_MAX: usize = 1_150;
/// Lost packets that one datagram may ask for; an honest receiver asks for a few dozen.
const LOST_PER_DATAGRAM_MAX: usize = 512;

impl Endpoint {
    /// Takes an RTCP packet; it is decrypted in place. False: it was refused.
    pub fn handle_rtcp(&mut self, now: Instant, packet: &mut [u8], feedback: &mut Vec<Feedback>) -> bool {
        let Some(keys) = &mut self.keys else { return false };
        let Ok(len) = keys.inbound.unprotect_rtcp(packet) else { return false };
        self.ice.touch(now);
        self.path_works(now);
        let arrival = self.since_epoch(now);
        let mut worst_loss = None;
        let mut compound = Compound::new(packet.get(..len).unwrap_or_default());
        for item in &mut compound {
            match item {
                Packet::SenderReport(report) => {
                    let (ntp, timestamp) = (report.info.ntp, report.info.rtp_timestamp);
                    if let Some((line, layer)) = self.receiver.sender_report(&report.info, arrival)
                        && feedback.len() < LOST_PER_DATAGRAM_MAX
                    {
                        feedback.push(Feedback::Clock { line, layer, ntp, timestamp });
                    }
                    for block in report.reports() {
                        worst_loss = worst_loss.max(Some(self.handle_report(now, &block)));
                    }
                }
                Packet::ReceiverReport(report) => {
                    for block in report.reports() {
                        worst_loss = worst_loss.max(Some(self.handle_report(now, &block)));
                    }
                }
                Packet::Nack(nack) => {
                    let Some(line) = self.sender.line_of(nack.media_ssrc) else { continue };
                    for sequence in nack.lost() {
                        if feedback.len() >= LOST_PER_DATAGRAM_MAX {
                            break;
                        }
                        feedback.push(Feedback::Lost { line, sequence });
                    }
                }
                Packet::PictureLossIndication(pli) => {
                    feedback
                        .extend(self.sender.line_of(pli.media_ssrc).map(|line| Feedback::KeyFrame { line }));
                }
                Packet::FullIntraRequest(request) => {
                    let lines = request.entries().filter_map(|e| self.sender.line_of(e.ssrc));
                    feedback
                        .extend(lines.take(LOST_PER_DATAGRAM_MAX).map(|line| Feedback::KeyFrame { line }));
                }
                Packet::TransportFeedback(feedback) => self.estimator.handle_feedback(now, &feedback),
                Packet::Remb(remb) => self.estimator.handle_remb(remb.bitrate),
                Packet::SourceDescription(_) | Packet::Goodbye(_) => {}
            }
        }
        if let Some(fraction) = worst_loss {
            self.loss.fraction = fraction;
            self.estimator.handle_report(now, f32::from(fraction) / 256.0, self.loss.round_trip);
        }
        !compound.malformed()
    }

    /// Takes a block and says which share was lost.
    fn handle_report(&mut self, now: Instant, block: &rtcp::ReportBlock) -> u8 {
        self.sender.acknowledge(block.ssrc);
        if let Some(round_trip) = block.round_trip(self.clock.at(now)) {
            self.receiver.round_trip = Some(round_trip);
            self.loss.round_trip = Some(round_trip);
        }
        block.fraction_lost
    }

    /// Asks the client for a key frame of one of its encodings. False if nothing of it has come yet.
    pub fn request_key_frame(&mut self, line: u16, layer: u8, outbox: &mut Outbox) -> bool {
        let mut out = Vec::new();
        let ssrc = self.ssrc;
        let asked = self.receiver.write_key_frame_request(line, layer, ssrc, &mut out);
        asked && self.send_rtcp(outbox, out)
    }

    /// Transport-wide feedback and requests for missing packets.
    pub(super) fn send_feedback(&mut self, now: Instant, outbox: &mut Outbox) {
        let ssrc = self.ssrc;
        if self.feedback_pace.take_due(now) {
            let mut more = true;
            while more && self.receiver.feedback_pending() {
                let mut out = Vec::with_capacity(rtcp::FEEDBACK_BYTES_MAX);
                more = self.receiver.write_feedback(ssrc, &mut out);
                self.send_rtcp(outbox, out);
            }
        }
        let since_epoch = self.since_epoch(now);
        if self.receiver.nack_due().is_some_and(|due| due <= since_epoch) {
            let mut out = Vec::new();
            if self.receiver.write_nacks(since_epoch, ssrc, &mut out) {
                self.send_rtcp_in_parts(outbox, &out);
            }
        }
    }

    pub(super) fn send_reports(
        &mut self,
        now: Instant,
        outbox: &mut Outbox,
        timestamp_at: &dyn Fn(u16) -> Option<u32>,
    ) {
        let blocks = self.receiver.report_blocks(now.saturating_duration_since(self.epoch), BLOCKS_MAX);
        let reports = self.sender.reports(self.clock.at(now), timestamp_at);
        if !blocks.is_empty() {
            let mut out = Vec::new();
            rtcp::write_receiver_report(&mut out, self.ssrc, &blocks);
            rtcp::write_sdes(&mut out, self.ssrc, &self.cname);
            self.send_rtcp(outbox, out);
        }
        for reports in reports.chunks(REPORTS_PER_DATAGRAM) {
            let mut out = Vec::new();
            for info in reports {
                rtcp::write_sender_report(&mut out, info, &[]);
            }
            if let Some(first) = reports.first() {
                rtcp::write_sdes(&mut out, first.ssrc, &self.cname);
            }
            self.send_rtcp(outbox, out);
        }
    }

    /// Protects and queues a compound packet. False where nothing can be sent.
    pub(super) fn send_rtcp(&mut self, outbox: &mut Outbox, packet: Vec<u8>) -> bool {
        let (Some(keys), Some(to)) = (&mut self.keys, self.ice.selected()) else { return false };
        if packet.is_empty() {
            return false;
        }
        let start = outbox.arena().len();
        outbox.arena().extend_from_slice(&packet);
        keys.outbound.protect_rtcp(outbox.arena(), start);
        outbox.commit(to, start);
        true
    }

    /// As [`Self::send_rtcp`], in datagrams that fit any path.
    fn send_rtcp_in_parts(&mut self, outbox: &mut Outbox, packets: &[u8]) {
        let mut part = Vec::new();
        let mut rest = packets;
        while let Some((&[_, _, l0, l1], _)) = rest.split_first_chunk::<4>() {
            let len = 4 * (usize::from(u16::from_be_bytes([l0, l1])) + 1);
            let Some((packet, after)) = rest.split_at_checked(len) else { break };
            if part.len() + len > RTCP_BYTES_MAX {
                self.send_rtcp(outbox, std::mem::take(&mut part));
            }
            part.extend_from_slice(packet);
            rest = after;
        }
        self.send_rtcp(outbox, part);
    }
}
