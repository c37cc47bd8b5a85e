//! The two transforms with their scheduled keys, for either direction: GCM (RFC 7714), and counter mode with
//! HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1). Nothing here knows about windows or sources.
//!
//! Measured with 1,120 bytes and cached keys: AES-128-GCM 180 ns, AES-256-GCM 205 ns, AES-CM with HMAC-SHA1 850 ns, of
//! which counter mode takes 125 ns (the crates `aes` and `ctr`: 530 ns) and HMAC-SHA1 660 ns (`hmac` and `sha1`: 610 ns).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use super::derive::{Derivation, Label};
use super::{KeyError, Profile};

/// Bytes of a GCM tag.
pub(super) const GCM_TAG_LEN: usize = 16;
/// Bytes that are kept of an HMAC-SHA1.
pub(super) const SHA1_TAG_LEN: usize = 10;
/// Set in the control index word when the packet is encrypted (RFC 3711 §3.4).
pub(super) const ENCRYPTED_FLAG: u32 = 1 << 31;

/// The keys of one direction, for RTP and RTCP.
pub(super) enum Cipher {
    Gcm { rtp: Gcm, rtcp: Gcm },
    Cm(Box<CmPair>),
}

/// Boxed, because AES-CM is the exception and its contexts are large.
pub(super) struct CmPair {
    pub(super) rtp: Cm,
    pub(super) rtcp: Cm,
}

impl Cipher {
    pub(super) fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, KeyError> {
        let derivation = Derivation::new(profile, key, salt)?;
        Ok(match profile {
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => Cipher::Gcm {
                rtp: Gcm::new(profile, &derivation, Label::RtpEncryption, Label::RtpSalt)?,
                rtcp: Gcm::new(profile, &derivation, Label::RtcpEncryption, Label::RtcpSalt)?,
            },
            Profile::AesCm128HmacSha1_80 => Cipher::Cm(Box::new(CmPair {
                rtp: Cm::new(&derivation, Label::RtpEncryption, Label::RtpSalt, Label::RtpAuthentication)?,
                rtcp: Cm::new(
                    &derivation,
                    Label::RtcpEncryption,
                    Label::RtcpSalt,
                    Label::RtcpAuthentication,
                )?,
            })),
        })
    }
}

/// AES-GCM with the salt that its nonces are made of.
pub(super) struct Gcm {
    key: LessSafeKey,
    salt: [u8; 12],
}

impl Gcm {
    fn new(profile: Profile, from: &Derivation, key: Label, salt: Label) -> Result<Self, KeyError> {
        let unbound = match profile {
            Profile::AeadAes256Gcm => UnboundKey::new(&AES_256_GCM, &from.derive::<32>(key)?),
            _ => UnboundKey::new(&AES_128_GCM, &from.derive::<16>(key)?),
        };
        let key = LessSafeKey::new(unbound.map_err(|_| KeyError::Refused)?);
        Ok(Self { key, salt: from.derive(salt)? })
    }

    /// RFC 7714 §8.1 (index of 48 bits) and §9.1 (index of 31 bits): they differ only in how wide the index is.
    #[inline]
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let ssrc = ssrc.to_be_bytes();
        let [_, _, index @ ..] = index.to_be_bytes();
        let mut nonce = self.salt;
        nonce[2..6].iter_mut().zip(ssrc).for_each(|(n, b)| *n ^= b);
        nonce[6..12].iter_mut().zip(index).for_each(|(n, b)| *n ^= b);
        Nonce::assume_unique_for_key(nonce)
    }

    /// Encrypts in place and gives the tag. `None` only for more than 64 GiB.
    #[inline]
    pub(super) fn seal(
        &self,
        ssrc: u32,
        index: u64,
        aad: &[u8],
        body: &mut [u8],
    ) -> Option<[u8; GCM_TAG_LEN]> {
        let nonce = self.nonce(ssrc, index);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(aad), body).ok()?;
        tag.as_ref().try_into().ok()
    }

    /// Decrypts in place what has its tag at its end; false if the tag does not fit.
    #[inline]
    pub(super) fn open(&self, ssrc: u32, index: u64, aad: &[u8], body_and_tag: &mut [u8]) -> bool {
        self.key.open_in_place(self.nonce(ssrc, index), Aad::from(aad), body_and_tag).is_ok()
    }
}

/// AES in counter mode and HMAC-SHA1, cut to 80 bits.
pub(super) struct Cm {
    key: EncryptingKey,
    salt: [u8; 14],
    authentication: hmac::Key,
}

impl Cm {
    fn new(from: &Derivation, key: Label, salt: Label, authentication: Label) -> Result<Self, KeyError> {
        let key = UnboundCipherKey::new(&AES_128, &from.derive::<16>(key)?).map_err(|_| KeyError::Refused)?;
        let authentication = from.derive::<20>(authentication)?;
        Ok(Self {
            key: EncryptingKey::ctr(key).map_err(|_| KeyError::Refused)?,
            salt: from.derive(salt)?,
            authentication: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &authentication),
        })
    }

    /// Encrypts or decrypts in place (RFC 3711 §4.1.1).
    #[inline]
    #[must_use]
    pub(super) fn apply(&self, ssrc: u32, index: u64, body: &mut [u8]) -> bool {
        let ssrc = ssrc.to_be_bytes();
        let [_, _, index @ ..] = index.to_be_bytes();
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        iv[4..8].iter_mut().zip(ssrc).for_each(|(v, b)| *v ^= b);
        iv[8..14].iter_mut().zip(index).for_each(|(v, b)| *v ^= b);
        self.key.less_safe_encrypt(body, EncryptionContext::Iv128(iv.into())).is_ok()
    }

    /// The tag over a packet and what follows it: the rollover counter, or nothing (RFC 3711 §4.2).
    #[inline]
    pub(super) fn tag(&self, packet: &[u8], suffix: &[u8]) -> [u8; SHA1_TAG_LEN] {
        let mut context = hmac::Context::with_key(&self.authentication);
        context.update(packet);
        context.update(suffix);
        let mut tag = [0; SHA1_TAG_LEN];
        tag.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
        tag
    }

    /// Whether `tag` belongs to the packet, in constant time.
    #[inline]
    pub(super) fn verify(&self, packet: &[u8], suffix: &[u8], tag: &[u8]) -> bool {
        verify_slices_are_equal(&self.tag(packet, suffix), tag).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::srtp::outbound::rtcp_aad;
    use data_encoding::HEXLOWER;

    fn bytes(hex: &str) -> Vec<u8> {
        HEXLOWER.decode(hex.as_bytes()).unwrap()
    }

    /// The RFCs give vectors for session keys; sessions begin with master keys.
    fn gcm(key_len: usize) -> Gcm {
        let algorithm = if key_len == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let key: Vec<u8> = (0..key_len as u8).collect();
        Gcm { key: LessSafeKey::new(UnboundKey::new(algorithm, &key).unwrap()), salt: *b"Quid pro quo" }
    }

    /// RFC 7714 §16.1 and §16.2.
    #[test]
    fn rfc_7714_rtp() {
        let header = bytes("8040f17b8041f8d35501a0b2");
        for (key_len, expected) in [
            (
                16,
                "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
                 899d7f27beb16a9152cf765ee4390cce",
            ),
            (
                32,
                "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b\
                 7aa3db36dfffd6b0f9bb7878d7a76c13",
            ),
        ] {
            let plain = b"Gallia est omnis divisa in partes tres";
            let mut body = plain.to_vec();
            let tag = gcm(key_len).seal(0x5501_a0b2, 0xf17b, &header, &mut body).unwrap();
            body.extend_from_slice(&tag);
            assert_eq!(HEXLOWER.encode(&body), expected);
            assert!(gcm(key_len).open(0x5501_a0b2, 0xf17b, &header, &mut body));
            assert_eq!(body[..plain.len()], plain[..]);
        }
    }

    /// RFC 7714 §17.1 and §17.2.
    #[test]
    fn rfc_7714_rtcp() {
        let header = *b"\x81\xc8\x00\x0dMars";
        let plain = "4e5450314e545032525450200000042a0000e9304c756e61\
                     deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
        for (key_len, expected) in [
            (
                16,
                "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b\
                 c84aa45896cf4d2fc5abf87245d9eade",
            ),
            (
                32,
                "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad\
                 1d1eb30c4446839f57ff6f6cb26ac3be",
            ),
        ] {
            let aad = rtcp_aad(&header, (ENCRYPTED_FLAG | 0x5d4).to_be_bytes());
            let mut body = bytes(plain);
            let tag = gcm(key_len).seal(u32::from_be_bytes(*b"Mars"), 0x5d4, &aad, &mut body).unwrap();
            body.extend_from_slice(&tag);
            assert_eq!(HEXLOWER.encode(&body), expected);
        }
    }

    /// RFC 3711 appendix B.2: the key stream of counter mode.
    #[test]
    fn rfc_3711_key_stream() {
        let key = UnboundCipherKey::new(&AES_128, &bytes("2b7e151628aed2a6abf7158809cf4f3c")).unwrap();
        let cm = Cm {
            key: EncryptingKey::ctr(key).unwrap(),
            salt: bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfd").try_into().unwrap(),
            authentication: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[0; 20]),
        };
        let mut stream = [0; 0xff02 * 16];
        assert!(cm.apply(0, 0, &mut stream));
        assert_eq!(
            HEXLOWER.encode(&stream[..48]),
            "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0"
        );
        assert_eq!(
            HEXLOWER.encode(&stream[0xfeff * 16..]),
            "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44"
        );
    }
}
