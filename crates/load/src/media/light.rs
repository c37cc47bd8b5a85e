//! Reports of a receiver that only counts: what a browser would say of the packets that arrived, without the cost of
//! decrypting them.
//!
//! Transport-wide feedback every 50 ms and receiver reports every second are of real arrivals and real losses. What is
//! missing of a whole client are requests for retransmission (NACK): a loss stays one, and is counted.

use std::time::{Duration, Instant};

use rtc::rtcp::{ArrivalLog, ReportBlock, write_receiver_report};
use rtc::srtp::Outbound;

/// As often as libwebrtc does at high rates.
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Bytes of control packets in one datagram at most; a feedback packet has at most 1,100.
const DATAGRAM_BYTES_MAX: usize = 1_200;

/// The reporting half of a receiver.
pub(super) struct LightReports {
    keys: Option<Outbound>,
    /// The id agreed for transport-wide sequence numbers; 0: none was.
    extension: u8,
    ssrc: u32,
    log: ArrivalLog,
    began: Instant,
    next_feedback: Instant,
    next_report: Instant,
    plain: Vec<u8>,
}

impl LightReports {
    /// Reports as that SSRC, which must be of no stream.
    pub(super) fn new(extension: Option<u8>, ssrc: u32, now: Instant) -> Self {
        Self {
            keys: None,
            extension: extension.unwrap_or(0),
            ssrc,
            log: ArrivalLog::new(),
            began: now,
            next_feedback: now,
            next_report: now,
            plain: Vec::with_capacity(2 * DATAGRAM_BYTES_MAX),
        }
    }

    /// The handshake has ended.
    pub(super) fn set_keys(&mut self, keys: Outbound) {
        self.keys = Some(keys);
    }

    /// Notes an RTP packet.
    pub(super) fn record(&mut self, datagram: &[u8], now: Instant) {
        if let Some(number) = transport_sequence(datagram, self.extension) {
            self.log.record(number, now.saturating_duration_since(self.began));
        }
    }

    /// Whether something is to be sent.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.keys.is_some() && (now >= self.next_report || now >= self.next_feedback && self.log.is_pending())
    }

    /// Gives what is due to `send`, protected. `blocks` says what was received, for a receiver report.
    pub(super) fn report(
        &mut self,
        now: Instant,
        blocks: impl FnOnce() -> Vec<ReportBlock>,
        mut send: impl FnMut(&[u8]),
    ) {
        let Some(keys) = &mut self.keys else { return };
        let mut media_ssrc = 0;
        if now >= self.next_report {
            self.next_report = now + REPORT_INTERVAL;
            let blocks = blocks();
            media_ssrc = blocks.first().map_or(0, |block| block.ssrc);
            self.plain.clear();
            write_receiver_report(&mut self.plain, self.ssrc, &blocks);
            keys.protect_rtcp(&mut self.plain, 0);
            send(&self.plain);
        }
        if now >= self.next_feedback {
            self.next_feedback = now + FEEDBACK_INTERVAL;
            loop {
                self.plain.clear();
                if !self.log.build(self.ssrc, media_ssrc, &mut self.plain) {
                    break;
                }
                keys.protect_rtcp(&mut self.plain, 0);
                send(&self.plain);
            }
        }
    }
}

/// The number that the header extension of that id holds.
pub fn transport_sequence(datagram: &[u8], extension: u8) -> Option<u16> {
    if extension == 0 {
        return None;
    }
    let header = rtc::rtp::Header::parse(datagram).ok()?;
    let (_, data) = header.extensions(datagram).find(|(id, _)| *id == extension)?;
    data.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use rtc::rtcp::{Compound, Packet};
    use rtc::rtp::{ExtensionIds, HeaderWriter, OutgoingExtensions};
    use rtc::srtp::{Inbound, Profile};

    use super::*;

    fn packet(number: u16) -> Vec<u8> {
        let mut packet = Vec::new();
        let ids = ExtensionIds { transport_wide_cc: 3, ..ExtensionIds::default() };
        let extensions =
            OutgoingExtensions { transport_wide_cc: Some(number), ..OutgoingExtensions::default() };
        let header = HeaderWriter { sequence_number: number, ssrc: 1, extensions, ..HeaderWriter::default() };
        header.write(&mut packet, &ids);
        packet.extend_from_slice(&[0; 100]);
        packet
    }

    /// Everything that arrived is said once, and the other end can open and read it.
    #[test]
    fn what_arrived_is_reported_under_the_keys_of_the_session() {
        let base = net::clock::now();
        let (key, salt) = ([7; 16], [9; 12]);
        let mut light = LightReports::new(Some(3), 0x1234, base);
        assert!(!light.is_due(base), "without keys nothing can be said");
        light.set_keys(Outbound::new(Profile::AeadAes128Gcm, &key, &salt).unwrap());
        for number in (0..100).filter(|number| number % 10 != 5) {
            light.record(&packet(number), base + Duration::from_millis(number.into()));
        }
        let now = base + Duration::from_millis(120);
        assert!(light.is_due(now));
        let mut datagrams = Vec::new();
        let block = ReportBlock { ssrc: 1, highest_sequence_number: 99, ..ReportBlock::default() };
        light.report(now, || vec![block], |datagram| datagrams.push(datagram.to_vec()));
        assert!(!light.is_due(now));
        let mut inbound = Inbound::new(Profile::AeadAes128Gcm, &key, &salt).unwrap();
        let (mut reports, mut received, mut lost) = (0, 0, 0);
        for mut datagram in datagrams {
            let len = inbound.unprotect_rtcp(&mut datagram).unwrap();
            for packet in Compound::new(&datagram[..len]) {
                match packet {
                    Packet::ReceiverReport(report) => {
                        assert_eq!(report.reports().collect::<Vec<_>>(), [block]);
                        reports += 1;
                    }
                    Packet::TransportFeedback(feedback) => {
                        for status in feedback.statuses() {
                            if status.arrival_us.is_some() { received += 1 } else { lost += 1 }
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!((reports, received, lost), (1, 90, 10));
    }
}
