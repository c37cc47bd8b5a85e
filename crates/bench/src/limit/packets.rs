//! What is sent, made before it is needed, and the keys that both ends have.

use anyhow::Result;
use load::source::Noise;
use rtc::rtp::{ExtensionIds, HeaderWriter, OutgoingExtensions};
use rtc::srtp::{Inbound, Outbound, Profile};

/// Payloads that are sent in turn. Their contents do not matter to a cipher; that there are several keeps them from
/// lying in the nearest cache, as those of a history do.
const PAYLOADS: usize = 64;
/// Bytes of each; shorter packets take the front.
const PAYLOAD_BYTES: usize = 1_160;
/// Where the sequence number stands (RFC 3550 §5.1).
pub(super) const SEQUENCE_AT: usize = 2;

pub(super) struct Packets {
    header: Vec<u8>,
    payloads: Vec<Vec<u8>>,
}

impl Packets {
    pub(super) fn new() -> Self {
        let mut noise = Noise::new(1);
        let payload = |_| (0..PAYLOAD_BYTES).map(|_| noise.draw() as u8).collect();
        let payloads = (0..PAYLOADS).map(payload).collect();
        // As the server writes it: one contributing source, one transport-wide sequence number.
        let mut header = Vec::new();
        let ids = ExtensionIds { transport_wide_cc: 3, ..ExtensionIds::default() };
        let extensions = OutgoingExtensions { transport_wide_cc: Some(0), ..OutgoingExtensions::default() };
        let writer =
            HeaderWriter { payload_type: 96, ssrc: 1, csrcs: &[2], extensions, ..HeaderWriter::default() };
        writer.write(&mut header, &ids);
        Self { header, payloads }
    }

    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }

    /// The payload of the n-th packet, of that size at most.
    pub(super) fn payload(&mut self, number: u64, size: usize) -> &mut [u8] {
        let payload = &mut self.payloads[number as usize % PAYLOADS];
        let size = size.min(payload.len());
        &mut payload[..size]
    }
}

/// Both directions of the n-th destination's session.
pub(super) fn keys(profile: Profile, destination: usize) -> Result<(Outbound, Inbound)> {
    let mut noise = Noise::new(destination as u64 + 1);
    let key: Vec<u8> = (0..profile.key_len()).map(|_| noise.draw() as u8).collect();
    let salt: Vec<u8> = (0..profile.salt_len()).map(|_| noise.draw() as u8).collect();
    Ok((Outbound::new(profile, &key, &salt)?, Inbound::new(profile, &key, &salt)?))
}
