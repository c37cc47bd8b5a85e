//! What a unit counts, for metrics. Plain numbers; the shell reads them now and then.

/// Totals since the unit began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Datagrams that came in.
    pub datagrams_received: u64,
    /// Datagrams that no peer could be found for, of any kind.
    pub datagrams_unknown: u64,
    /// Datagrams that are none of STUN, DTLS, RTP, RTCP (RFC 7983).
    pub datagrams_garbage: u64,
    /// STUN messages that failed the check of integrity or were malformed.
    pub stun_refused: u64,
    /// RTP and RTCP packets that were forged, replayed, damaged or not agreed on.
    pub packets_refused: u64,
    /// RTP packets accepted from senders.
    pub packets_received: u64,
    /// Bytes of those, with headers.
    pub bytes_received: u64,
    /// RTP packets sent on.
    pub packets_forwarded: u64,
    /// Bytes of those, with headers and protection.
    pub bytes_forwarded: u64,
    /// RTP packets sent again to receivers that lost them.
    pub packets_retransmitted: u64,
    /// RTP packets that waited for a receiver's path to have room.
    pub packets_waited: u64,
    /// RTP packets that had no place to wait, or waited for too long.
    pub packets_dropped_waiting: u64,
    /// Bytes sent to find out what a path carries.
    pub probe_bytes: u64,
    /// Requests for packets that were gone.
    pub retransmissions_missed: u64,
    /// Packets dropped because the stream is muted.
    pub packets_muted: u64,
    /// Packets not sent because the receiver has no payload type for them.
    pub packets_without_codec: u64,
    /// Packets of redundant sound sent without their redundancy.
    pub red_stripped: u64,
    /// Packets of redundant sound not sent because they are damaged.
    pub red_damaged: u64,
    /// RTP packets sent to other units.
    pub relay_packets_sent: u64,
    /// RTP packets taken from other units.
    pub relay_packets_received: u64,
    /// Those of them of which only the head was: nobody there looks at their layer.
    pub relay_heads_sent: u64,
    /// RTP packets for another unit for which there was no room.
    pub relay_packets_dropped: u64,
    /// RTP packets of another unit that nobody here receives (any more).
    pub relay_packets_unknown: u64,
    /// Batches of other units that were damaged.
    pub relay_garbage: u64,
    /// Key frames asked of senders.
    pub key_frames_requested: u64,
    /// Offers answered.
    pub offers_answered: u64,
    /// Offers refused.
    pub offers_refused: u64,
}
