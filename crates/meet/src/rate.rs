//! How many rooms one address may make.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// Rooms at once, and per second in the long run: an office behind one address, on a Monday at nine.
const BURST: f64 = 100.0;
const PER_SECOND: f64 = 1.0;

/// Addresses remembered. When there are more at a time, those that have waited longest are forgotten: they may then make
/// more than they should, which is better than that nobody can.
const ADDRESSES_MAX: usize = 10_000;

/// What addresses have left.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    left_by_address: Mutex<HashMap<IpAddr, Left>>,
}

#[derive(Debug, Clone, Copy)]
struct Left {
    rooms: f64,
    at: Instant,
}

/// An address made too many rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many rooms")]
pub(crate) struct TooMany;

impl Rates {
    /// Lets this address make one more room.
    pub(crate) fn take(&self, address: Option<IpAddr>, now: Instant) -> Result<(), TooMany> {
        let Some(address) = address.map(network) else { return Ok(()) };
        let mut left_by_address = self.left_by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if left_by_address.len() >= ADDRESSES_MAX && !left_by_address.contains_key(&address) {
            left_by_address.retain(|_, left| left.refilled(now) < BURST);
            let oldest = left_by_address.iter().min_by_key(|(_, left)| left.at).map(|(a, _)| *a);
            if let Some(oldest) = oldest.filter(|_| left_by_address.len() >= ADDRESSES_MAX) {
                left_by_address.remove(&oldest);
            }
        }
        let left = left_by_address.entry(address).or_insert(Left { rooms: BURST, at: now });
        let rooms = left.refilled(now);
        if rooms < 1.0 {
            return Err(TooMany);
        }
        *left = Left { rooms: rooms - 1.0, at: now };
        Ok(())
    }
}

impl Left {
    fn refilled(&self, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        (self.rooms + seconds * PER_SECOND).min(BURST)
    }
}

/// One customer has a whole /64 of IPv6: its addresses count as one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_address_makes_some_and_then_fewer() {
        let (rates, start) = (Rates::default(), Instant::now());
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        for _ in 0..100 {
            rates.take(address, start).unwrap();
        }
        assert_eq!(rates.take(address, start), Err(TooMany));
        rates.take(Some(IpAddr::from([192, 0, 2, 2])), start).unwrap();
        rates.take(None, start).unwrap();
        let later = start + Duration::from_secs(2);
        assert_eq!([0; 3].map(|_| rates.take(address, later)), [Ok(()), Ok(()), Err(TooMany)]);
    }

    #[test]
    fn addresses_of_one_network_count_together() {
        let of = |a: u16, b: u16| network(Ipv6Addr::new(0x2001, 0xdb8, 0, a, b, 0, 0, 1).into());
        assert_eq!(of(1, 2), of(1, 3));
        assert_ne!(of(1, 2), of(2, 2));
        let v4 = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(network(Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped().into()), v4);
    }

    #[test]
    fn memory_is_bounded() {
        let (rates, start) = (Rates::default(), Instant::now());
        for n in 0..ADDRESSES_MAX as u32 + 10 {
            rates.take(Some(Ipv4Addr::from(n).into()), start + Duration::from_micros(n.into())).unwrap();
        }
        assert_eq!(rates.left_by_address.lock().unwrap().len(), ADDRESSES_MAX);
    }
}
