//! Session keys from a master key (RFC 3711 §4.3, RFC 6188 for 256-bit keys, RFC 7714 §11 for GCM).

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};

use super::{KeyError, Profile};

/// The longest thing derived: a 256-bit key.
const DERIVED_BYTES_MAX: usize = 32;

/// What a derived key is for (RFC 3711 §4.3.1, §4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// Derives up to 32 bytes with a key derivation rate of zero, the only one that DTLS-SRTP has.
pub(super) struct Derivation {
    key: EncryptingKey,
    /// The master salt, shifted left by 16 bits as the pseudo-random function wants it.
    salt: [u8; 16],
}

impl Derivation {
    pub(super) fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, KeyError> {
        check_len(profile.key_len(), key)?;
        check_len(profile.salt_len(), salt)?;
        let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
        let key = UnboundCipherKey::new(algorithm, key).map_err(|_| KeyError::Refused)?;
        let key = EncryptingKey::ctr(key).map_err(|_| KeyError::Refused)?;
        let mut shifted = [0; 16];
        // A GCM salt of 12 bytes stands for one of 14 whose last two are zero (RFC 7714 §11).
        shifted.iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
        Ok(Self { key, salt: shifted })
    }

    /// The first `LEN` bytes of what belongs to `label`.
    pub(super) fn derive<const LEN: usize>(&self, label: Label) -> Result<[u8; LEN], KeyError> {
        const { assert!(LEN <= DERIVED_BYTES_MAX) };
        let mut iv = self.salt;
        // The label lies just above the 48-bit index (which is zero) and the 16 bits of the block counter.
        iv[7] ^= label as u8;
        let mut out = [0; LEN];
        self.key
            .less_safe_encrypt(&mut out, EncryptionContext::Iv128(iv.into()))
            .map_err(|_| KeyError::Refused)?;
        Ok(out)
    }
}

fn check_len(expected: usize, bytes: &[u8]) -> Result<(), KeyError> {
    if bytes.len() == expected { Ok(()) } else { Err(KeyError::Length { expected, got: bytes.len() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXUPPER;

    #[test]
    fn rfc_3711_b3() {
        let key = HEXUPPER.decode(b"E1F97A0D3E018BE0D64FA32C06DE4139").unwrap();
        let salt = HEXUPPER.decode(b"0EC675AD498AFEEBB6960B3AABE6").unwrap();
        let derivation = Derivation::new(Profile::AesCm128HmacSha1_80, &key, &salt).unwrap();
        let hex = |bytes: &[u8]| HEXUPPER.encode(bytes);
        assert_eq!(
            hex(&derivation.derive::<16>(Label::RtpEncryption).unwrap()),
            "C61E7A93744F39EE10734AFE3FF7A087"
        );
        assert_eq!(hex(&derivation.derive::<14>(Label::RtpSalt).unwrap()), "30CBBC08863D8C85D49DB34A9AE1");
        assert_eq!(
            hex(&derivation.derive::<20>(Label::RtpAuthentication).unwrap()),
            "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"
        );
    }

    #[test]
    fn rfc_6188_7_2_with_a_256_bit_key() {
        let key =
            HEXUPPER.decode(b"F0F04914B513F2763A1B1FA130F10E2998F6F6E43E4309D1E622A0E332B9F1B6").unwrap();
        let salt = HEXUPPER.decode(b"3B04803DE51EE7C96423AB5B78D2").unwrap();
        // The vector has a salt of 14 bytes, which no profile of ours pairs with 256-bit keys.
        let mut derivation = Derivation::new(Profile::AeadAes256Gcm, &key, &salt[..12]).unwrap();
        derivation.salt[12..14].copy_from_slice(&salt[12..]);
        assert_eq!(
            HEXUPPER.encode(&derivation.derive::<32>(Label::RtpEncryption).unwrap()),
            "5BA1064E30EC51613CAD926C5A28EF731EC7FB397F70A960653CAF06554CD8C4"
        );
        assert_eq!(
            HEXUPPER.encode(&derivation.derive::<14>(Label::RtpSalt).unwrap()),
            "FA31791685CA444A9E07C6C64E93"
        );
        assert_eq!(
            HEXUPPER.encode(&derivation.derive::<20>(Label::RtpAuthentication).unwrap()),
            "FD9C32D39ED5FBB5A9DC96B30818454D1313DC05"
        );
    }
}
