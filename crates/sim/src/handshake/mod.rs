//! A handshake in the place of DTLS, on both ends: the round trips and the retransmissions of DTLS 1.2, without its
//! cryptography, whose signatures vary in length and whose random numbers cannot be seeded. Certificates are still
//! compared with the fingerprints of offer and answer, and keys come out of it, so that all of SRTP is real.
//!
//! Each datagram is a *flight*: first byte 22 as DTLS has it, so that it is told apart (RFC 7983), a kind, a number drawn
//! by its sender, and the sender's certificate.

mod client;
mod server;

use std::time::Duration;

pub use client::provider;
pub use server::identity;

/// A flight that is not answered goes again after this, then after twice that, and so on.
const RETRANSMIT_FIRST: Duration = Duration::from_millis(200);
/// Longest time between retransmissions.
const RETRANSMIT_MAX: Duration = Duration::from_secs(2);
/// Exported for AES-256-GCM, which the real handshake agrees on: two keys of 32 bytes, two salts of 12.
const MATERIAL_BYTES: usize = 88;

/// The four flights of DTLS 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ClientHello = 1,
    ServerHello = 2,
    ClientFinished = 3,
    ServerFinished = 4,
    /// Goodbye, of either side.
    Close = 5,
}

/// A flight on the wire.
#[derive(Debug, PartialEq, Eq)]
struct Flight<'a> {
    kind: Kind,
    number: u64,
    certificate: &'a [u8],
}

impl<'a> Flight<'a> {
    fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (&[22, kind, ref number @ ..], certificate) = datagram.split_first_chunk::<10>()? else {
            return None;
        };
        let kind = match kind {
            1 => Kind::ClientHello,
            2 => Kind::ServerHello,
            3 => Kind::ClientFinished,
            4 => Kind::ServerFinished,
            5 => Kind::Close,
            _ => return None,
        };
        Some(Self { kind, number: u64::from_be_bytes(*number), certificate })
    }

    fn write(&self) -> Vec<u8> {
        let mut datagram = vec![22, self.kind as u8];
        datagram.extend_from_slice(&self.number.to_be_bytes());
        datagram.extend_from_slice(self.certificate);
        datagram
    }
}

/// What both sides export, of the numbers in their flights. Anyone who sees those can make it: it protects nothing.
pub fn material(client: u64, server: u64) -> Vec<u8> {
    let mut random = crate::random::Random::new(client).part("material", server);
    (0..MATERIAL_BYTES).map(|_| random.draw() as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_flight_is_read_as_it_was_written() {
        let flight = Flight { kind: Kind::ServerHello, number: 77, certificate: b"certificate" };
        assert_eq!(Flight::parse(&flight.write()), Some(flight));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_flight_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(flight) = Flight::parse(&bytes) {
                prop_assert_eq!(flight.write(), bytes);
            }
        }
    }
}
