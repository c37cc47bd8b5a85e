//! Status symbols and the chunks that pack them (§3.1.1 to §3.1.4 of the draft).

/// Symbols that a chunk of one-bit symbols holds.
pub(super) const ONE_BIT_SYMBOLS: usize = 14;
/// Symbols that a chunk of two-bit symbols holds.
pub(super) const TWO_BIT_SYMBOLS: usize = 7;
/// The longest run of one chunk: 13 bits.
pub(super) const RUN_MAX: usize = 0x1fff;

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub(super) enum Symbol {
    /// Not received.
    #[default]
    Lost = 0,
    /// Received, 0 to 255 ticks after the one before.
    Small = 1,
    /// Received, with a delta of 16 bits.
    Large = 2,
    /// Not to be used.
    Reserved = 3,
}

impl Symbol {
    fn from_bits(bits: u16) -> Self {
        match bits & 3 {
            0 => Symbol::Lost,
            1 => Symbol::Small,
            2 => Symbol::Large,
            _ => Symbol::Reserved,
        }
    }

    /// Bytes of its delta. `None` for the reserved one, with which nothing after it can be read.
    pub(super) fn delta_len(self) -> Option<usize> {
        match self {
            Symbol::Lost => Some(0),
            Symbol::Small => Some(1),
            Symbol::Large => Some(2),
            Symbol::Reserved => None,
        }
    }
}

/// The symbols in a row of chunks, `left` of them at most: the last chunk may hold more than are meant.
#[derive(Debug, Clone)]
pub(super) struct Statuses<'a> {
    chunks: &'a [[u8; 2]],
    taken: usize,
    chunk: Chunk,
    left: u16,
}

#[derive(Debug, Clone, Copy)]
enum Chunk {
    Run { symbol: Symbol, left: u16 },
    Vector { bits: u16, width: u8, left: u8 },
}

impl Chunk {
    fn decode(bytes: [u8; 2]) -> Self {
        let word = u16::from_be_bytes(bytes);
        match word >> 14 {
            0 | 1 => Chunk::Run { symbol: Symbol::from_bits(word >> 13), left: word & RUN_MAX as u16 },
            2 => Chunk::Vector { bits: word, width: 1, left: ONE_BIT_SYMBOLS as u8 },
            _ => Chunk::Vector { bits: word, width: 2, left: TWO_BIT_SYMBOLS as u8 },
        }
    }

    fn take(&mut self) -> Option<Symbol> {
        match self {
            Chunk::Run { symbol, left } => {
                *left = left.checked_sub(1)?;
                Some(*symbol)
            }
            Chunk::Vector { bits, width, left } => {
                *left = left.checked_sub(1)?;
                let bits = *bits >> (*left * *width);
                Some(Symbol::from_bits(if *width == 1 { bits & 1 } else { bits }))
            }
        }
    }
}

impl<'a> Statuses<'a> {
    pub(super) fn new(chunks: &'a [[u8; 2]], count: u16) -> Self {
        let nothing = Chunk::Run { symbol: Symbol::Lost, left: 0 };
        Self { chunks, taken: 0, chunk: nothing, left: count }
    }

    /// How many chunks were begun so far.
    pub(super) fn chunks_used(&self) -> usize {
        self.taken
    }
}

impl Iterator for Statuses<'_> {
    type Item = Symbol;

    fn next(&mut self) -> Option<Symbol> {
        self.left = self.left.checked_sub(1)?;
        loop {
            if let Some(symbol) = self.chunk.take() {
                return Some(symbol);
            }
            self.chunk = Chunk::decode(*self.chunks.get(self.taken)?);
            self.taken += 1;
        }
    }
}

/// Packs the symbols at the front into one chunk, and says how many these were. Runs where they pay, else vectors;
/// what a last vector has too much is written as lost.
///
/// Large deltas are never written as a run: str0m 0.25 takes one byte for each of them and loses its place.
pub(super) fn pack(symbols: &[Symbol]) -> Option<([u8; 2], usize)> {
    let first = *symbols.first()?;
    let run = symbols.iter().take(RUN_MAX).take_while(|symbol| **symbol == first).count();
    let next = symbols.get(..ONE_BIT_SYMBOLS).unwrap_or(symbols);
    let one_bit = !next.contains(&Symbol::Large);
    let run_pays = if one_bit { ONE_BIT_SYMBOLS } else { TWO_BIT_SYMBOLS };
    let (word, count) = if first != Symbol::Large && (run >= run_pays || run == symbols.len()) {
        ((first as u16) << 13 | run as u16, run)
    } else if one_bit {
        (0x8000 | vector(symbols, ONE_BIT_SYMBOLS, 1), next.len())
    } else {
        (0xc000 | vector(symbols, TWO_BIT_SYMBOLS, 2), symbols.len().min(TWO_BIT_SYMBOLS))
    };
    Some((word.to_be_bytes(), count))
}

fn vector(symbols: &[Symbol], places: usize, width: u32) -> u16 {
    (0..places).fold(0, |word, at| word << width | symbols.get(at).copied().unwrap_or_default() as u16)
}
