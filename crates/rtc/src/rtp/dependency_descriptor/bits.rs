//! Bits of a descriptor, most significant first (AV1 RTP specification, A.4.1).

use arrayvec::ArrayVec;

use super::DESCRIPTOR_BYTES_MAX;

/// Reads bits; past the end there are none.
#[derive(Debug, Clone)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits read so far.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bits read so far.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Passes over bits.
    pub(super) fn skip(&mut self, count: usize) {
        self.at += count;
    }

    /// Bits that are left.
    pub(super) fn left(&self) -> usize {
        (self.bytes.len() * 8).saturating_sub(self.at)
    }

    /// f(n): an unsigned number of up to 32 bits.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0u64;
        let mut wanted = count;
        while wanted > 0 {
            let byte = u64::from(*self.bytes.get(self.at / 8)?);
            let in_byte = 8 - (self.at % 8) as u32;
            let taken = wanted.min(in_byte);
            let part = byte >> (in_byte - taken) & ((1 << taken) - 1);
            value = value << taken | part;
            self.at += taken as usize;
            wanted -= taken;
        }
        Some(value as u32)
    }

    /// A flag.
    #[inline]
    pub(super) fn flag(&mut self) -> Option<bool> {
        self.take(1).map(|bit| bit == 1)
    }

    /// ns(n): one of `values` numbers, from 0.
    pub(super) fn take_non_symmetric(&mut self, values: u32) -> Option<u32> {
        let width = u32::BITS - values.leading_zeros();
        let short = (1u32 << width).checked_sub(values)?;
        let value = self.take(width.checked_sub(1)?)?;
        if value < short {
            return Some(value);
        }
        Some((value << 1) - short + self.take(1)?)
    }
}

/// Writes bits, up to what a header extension holds.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: ArrayVec<u8, DESCRIPTOR_BYTES_MAX>,
    /// Bits of the last byte that are not used yet.
    free: u32,
}

impl BitWriter {
    /// Writes the lowest `count` bits. `None`: there is no room for them.
    #[inline]
    pub(super) fn put(&mut self, value: u32, count: u32) -> Option<()> {
        let mut left = count;
        while left > 0 {
            if self.free == 0 {
                self.bytes.try_push(0).ok()?;
                self.free = 8;
            }
            let put = left.min(self.free);
            let part = u64::from(value) >> (left - put) & ((1 << put) - 1);
            *self.bytes.last_mut()? |= (part as u8) << (self.free - put);
            self.free -= put;
            left -= put;
        }
        Some(())
    }

    pub(super) fn put_flag(&mut self, flag: bool) -> Option<()> {
        self.put(flag.into(), 1)
    }

    /// ns(n), as [`BitReader::take_non_symmetric`] reads it. `value` is below `values`.
    pub(super) fn put_non_symmetric(&mut self, value: u32, values: u32) -> Option<()> {
        let width = u32::BITS - values.leading_zeros();
        let short = (1u32 << width).checked_sub(values)?;
        if value < short { self.put(value, width - 1) } else { self.put(value + short, width) }
    }

    /// What was written, filled up with zeros to whole bytes.
    pub(super) fn into_bytes(self) -> ArrayVec<u8, DESCRIPTOR_BYTES_MAX> {
        self.bytes
    }
}
