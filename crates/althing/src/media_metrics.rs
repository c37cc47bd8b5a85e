//! What media units count, for `/metrics`. Names carry the prefix `althing_media_`; the label is the unit.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use media::{DELAY_BUCKETS, Media, UnitStats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// The running role, until it is taken out to be stopped.
pub(crate) type Shared = Arc<Mutex<Option<Media>>>;

type Total = (&'static str, &'static str, fn(&UnitStats) -> u64);

/// Totals since the unit started.
const TOTALS: &[Total] = &[
    ("datagrams_received", "Datagrams that came in", |u| u.forwarding.datagrams_received),
    ("datagrams_unknown", "Datagrams of no known peer", |u| u.forwarding.datagrams_unknown),
    ("datagrams_garbage", "Datagrams that are none of STUN, DTLS, RTP, RTCP", |u| {
        u.forwarding.datagrams_garbage
    }),
    ("datagrams_dropped", "Datagrams that could not be sent", |u| u.datagrams_dropped),
    ("stun_refused", "STUN messages that failed the check of integrity", |u| u.forwarding.stun_refused),
    ("packets_refused", "Packets that were forged, replayed or damaged", |u| u.forwarding.packets_refused),
    ("packets_received", "RTP packets accepted from senders", |u| u.forwarding.packets_received),
    ("received_bytes", "Bytes of RTP packets accepted from senders", |u| u.forwarding.bytes_received),
    ("packets_forwarded", "RTP packets sent to receivers", |u| u.forwarding.packets_forwarded),
    ("forwarded_bytes", "Bytes of RTP packets sent to receivers", |u| u.forwarding.bytes_forwarded),
    ("packets_retransmitted", "RTP packets sent again to receivers that lost them", |u| {
        u.forwarding.packets_retransmitted
    }),
    ("retransmissions_missed", "Requests for packets that were gone", |u| {
        u.forwarding.retransmissions_missed
    }),
    ("packets_waited", "RTP packets that waited for a receiver's path", |u| u.forwarding.packets_waited),
    ("packets_dropped_waiting", "RTP packets that waited for too long", |u| {
        u.forwarding.packets_dropped_waiting
    }),
    ("probe_bytes", "Bytes sent to find out what a path carries", |u| u.forwarding.probe_bytes),
    ("relay_packets_sent", "RTP packets sent to other units", |u| u.forwarding.relay_packets_sent),
    ("relay_packets_received", "RTP packets taken from other units", |u| u.forwarding.relay_packets_received),
    ("relay_packets_dropped", "RTP packets for other units for which there was no room", |u| {
        u.forwarding.relay_packets_dropped
    }),
    ("relay_packets_unknown", "RTP packets of other units that nobody here receives", |u| {
        u.forwarding.relay_packets_unknown
    }),
    ("relay_batches_dropped", "Batches for other units that were behind", |u| u.batches_dropped),
    ("relay_batches_damaged", "Batches of other units that were damaged", |u| u.forwarding.relay_garbage),
    ("packets_muted", "Packets dropped because the stream is muted", |u| u.forwarding.packets_muted),
    ("packets_without_codec", "Packets not sent because the receiver cannot decode them", |u| {
        u.forwarding.packets_without_codec
    }),
    ("red_stripped", "Packets of redundant sound sent without their redundancy", |u| {
        u.forwarding.red_stripped
    }),
    ("red_damaged", "Packets of redundant sound not sent because they are damaged", |u| {
        u.forwarding.red_damaged
    }),
    ("key_frames_requested", "Key frames asked of senders", |u| u.forwarding.key_frames_requested),
    ("offers_answered", "Offers answered", |u| u.forwarding.offers_answered),
    ("offers_refused", "Offers refused", |u| u.forwarding.offers_refused),
    ("panics", "Times that the unit failed and began anew", |u| u.panics),
    ("delay_probes_lost", "Probes of the delay that did not come back", |u| u.delays.lost),
];

/// Puts them into the registry.
pub(crate) fn register(registry: &mut Registry, media: &Shared) {
    registry.register_collector(Box::new(Units(Arc::downgrade(media))));
}

#[derive(Debug)]
struct Units(Weak<Mutex<Option<Media>>>);

impl Collector for Units {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(media) = self.0.upgrade() else { return Ok(()) };
        let units = media.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Media::stats);
        let units = units.unwrap_or_default();
        let labels = |unit: &UnitStats| [("unit", unit.unit.to_string())];
        for (name, help, value) in TOTALS {
            let name = format!("althing_media_{name}");
            let counter = ConstCounter::new(0u64);
            let mut family = encoder.encode_descriptor(&name, help, None, counter.metric_type())?;
            for unit in &units {
                ConstCounter::new(value(unit)).encode(family.encode_family(&labels(unit))?)?;
            }
        }
        let gauge = ConstGauge::new(0i64).metric_type();
        let mut peers = encoder.encode_descriptor("althing_media_peers", "Peers", None, gauge)?;
        for unit in &units {
            let count = i64::try_from(unit.peers).unwrap_or(i64::MAX);
            ConstGauge::new(count).encode(peers.encode_family(&labels(unit))?)?;
        }
        let help = "Share of one core used in the last second, 0 to 1";
        let mut load = encoder.encode_descriptor("althing_media_load", help, None, gauge)?;
        for unit in &units {
            ConstGauge::new(f64::from(unit.load)).encode(load.encode_family(&labels(unit))?)?;
        }
        let help =
            "From a packet's arrival at the machine until it has been sent on, by four probes a second";
        let histogram = MetricType::Histogram;
        let mut delay = encoder.encode_descriptor("althing_media_delay_seconds", help, None, histogram)?;
        for unit in &units {
            let delays = &unit.delays;
            let bounds = DELAY_BUCKETS.into_iter().chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(delays.counts).collect();
            let of_unit = labels(unit);
            let mut encoder = delay.encode_family(&of_unit)?;
            encoder.encode_histogram::<NoLabelSet>(delays.seconds, delays.count(), &buckets, None)?;
        }
        Ok(())
    }
}
