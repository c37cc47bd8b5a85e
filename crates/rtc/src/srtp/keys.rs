//! Protection profiles, and what DTLS exports for them.

/// A protection profile of DTLS-SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// `SRTP_AEAD_AES_128_GCM`: about 180 ns a packet.
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`: about 200 ns a packet.
    AeadAes256Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80`: several times dearer, and what every client can do.
    AesCm128HmacSha1_80,
}

impl Profile {
    /// Bytes of a master key, and of the session keys that encrypt.
    pub const fn key_len(self) -> usize {
        match self {
            Profile::AeadAes128Gcm | Profile::AesCm128HmacSha1_80 => 16,
            Profile::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of a master salt.
    pub const fn salt_len(self) -> usize {
        match self {
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => 12,
            Profile::AesCm128HmacSha1_80 => 14,
        }
    }

    /// Bytes that protection appends to an RTP packet.
    pub const fn tag_len(self) -> usize {
        match self {
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => 16,
            Profile::AesCm128HmacSha1_80 => 10,
        }
    }

    /// Bytes that protection appends to an RTCP packet: the tag and the index.
    pub const fn rtcp_overhead_len(self) -> usize {
        self.tag_len() + 4
    }

    /// Bytes to export from DTLS.
    pub const fn keying_material_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }
}

/// Why keys were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Keying material, key or salt of another length than the profile's.
    #[error("keying material has {got} bytes instead of {expected}")]
    Length {
        /// What the profile needs.
        expected: usize,
        /// What was given.
        got: usize,
    },
    /// The cryptographic library refused the key.
    #[error("the key was refused")]
    Refused,
}

/// What DTLS exports, cut into its parts (RFC 5764 §4.2): both master keys, then both master salts.
#[derive(Clone, Copy)]
pub struct KeyingMaterial<'a> {
    /// What the keys are for.
    pub profile: Profile,
    /// The DTLS client encrypts with this.
    pub client_key: &'a [u8],
    /// The DTLS server encrypts with this.
    pub server_key: &'a [u8],
    /// Goes with `client_key`.
    pub client_salt: &'a [u8],
    /// Goes with `server_key`.
    pub server_salt: &'a [u8],
}

impl<'a> KeyingMaterial<'a> {
    /// Cuts exported bytes. Fails if there are fewer or more than [`Profile::keying_material_len`].
    pub fn split(profile: Profile, exported: &'a [u8]) -> Result<Self, KeyError> {
        let expected = profile.keying_material_len();
        let error = KeyError::Length { expected, got: exported.len() };
        if exported.len() != expected {
            return Err(error);
        }
        let (client_key, rest) = exported.split_at_checked(profile.key_len()).ok_or(error)?;
        let (server_key, rest) = rest.split_at_checked(profile.key_len()).ok_or(error)?;
        let (client_salt, server_salt) = rest.split_at_checked(profile.salt_len()).ok_or(error)?;
        Ok(Self { profile, client_key, server_key, client_salt, server_salt })
    }
}

/// Keys never reach a log.
impl std::fmt::Debug for KeyingMaterial<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyingMaterial").field("profile", &self.profile).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_keys_come_before_both_salts() {
        let exported: Vec<u8> = (0..60).collect();
        let keys = KeyingMaterial::split(Profile::AesCm128HmacSha1_80, &exported).unwrap();
        assert_eq!((keys.client_key[0], keys.server_key[0]), (0, 16));
        assert_eq!((keys.client_salt[0], keys.server_salt[0]), (32, 46));
        assert_eq!((keys.client_salt.len(), keys.server_salt.len()), (14, 14));
    }

    #[test]
    fn other_lengths_are_refused() {
        for profile in [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::AesCm128HmacSha1_80] {
            let right = profile.keying_material_len();
            for len in [0, right - 1, right + 1] {
                let error = KeyError::Length { expected: right, got: len };
                assert_eq!(KeyingMaterial::split(profile, &vec![0; len]).err(), Some(error));
            }
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let exported = [0xab; 56];
        let keys = KeyingMaterial::split(Profile::AeadAes128Gcm, &exported).unwrap();
        assert_eq!(format!("{keys:?}"), "KeyingMaterial { profile: AeadAes128Gcm, .. }");
    }
}
