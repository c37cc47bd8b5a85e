//! Random bytes from the operating system's cryptographic source.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The source of random bytes failed, which a running machine's never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source of random bytes failed")]
pub(crate) struct NoRandomness;

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}
