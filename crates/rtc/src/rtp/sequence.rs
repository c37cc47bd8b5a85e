//! Numbers that wrap: 16-bit sequence numbers and 32-bit timestamps as 64-bit ones that only grow.

/// The 64-bit number nearest to `last` whose low 16 bits are `number`. Never below zero: near the start it is the one
/// without a wrap.
#[inline]
pub fn extend_sequence_number(number: u16, last: u64) -> u64 {
    let step = number.wrapping_sub(last as u16) as i16;
    last.checked_add_signed(step.into()).unwrap_or(number.into())
}

/// The 64-bit number nearest to `last` whose low 32 bits are `timestamp`. Never below zero.
#[inline]
pub fn extend_timestamp(timestamp: u32, last: u64) -> u64 {
    let step = timestamp.wrapping_sub(last as u32) as i32;
    last.checked_add_signed(step.into()).unwrap_or(timestamp.into())
}

/// Whether `a` comes after `b`, given that they lie less than half of the number space apart.
#[inline]
pub fn is_newer_sequence_number(a: u16, b: u16) -> bool {
    (a.wrapping_sub(b) as i16) > 0
}

/// Whether `a` comes after `b`, given that they lie less than half of the number space apart.
#[inline]
pub fn is_newer_timestamp(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}

macro_rules! extender {
    ($(#[$doc:meta])* $name:ident, $number:ty, $extend:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name {
            highest: Option<u64>,
        }

        impl $name {
            /// The number in 64 bits. The first one starts in the second round, so that what was sent before it and
            /// comes after it has a number too.
            #[inline]
            pub fn extend(&mut self, number: $number) -> u64 {
                let Some(highest) = self.highest else {
                    let first = u64::from(number) + (1 << <$number>::BITS);
                    self.highest = Some(first);
                    return first;
                };
                let extended = $extend(number, highest);
                self.highest = Some(highest.max(extended));
                extended
            }

            /// The highest number so far.
            pub fn highest(&self) -> Option<u64> {
                self.highest
            }
        }
    };
}

extender!(
    /// Extends the sequence numbers of one stream, relative to the highest so far.
    SequenceExtender, u16, extend_sequence_number
);
extender!(
    /// Extends the timestamps of one stream, relative to the highest so far.
    TimestampExtender, u32, extend_timestamp
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_nearest_is_chosen_on_both_sides_of_a_wrap() {
        assert_eq!(extend_sequence_number(0, 65_535), 65_536);
        assert_eq!(extend_sequence_number(65_535, 65_536), 65_535);
        assert_eq!(extend_sequence_number(65_535, 3), 65_535, "nothing lies below zero");
        assert_eq!(extend_timestamp(5, u64::from(u32::MAX)), (1 << 32) + 5);
    }

    #[test]
    fn what_came_before_the_first_has_a_number() {
        let mut extender = SequenceExtender::default();
        let first = extender.extend(0);
        assert_eq!(extender.extend(65_535), first - 1);
        assert_eq!(extender.highest(), Some(first), "an older one does not take it back");
        assert_eq!(extender.extend(1), first + 1);
        assert_eq!(extender.highest(), Some(first + 1));
    }

    proptest! {
        #[test]
        fn any_walk_of_steps_below_half_is_followed(steps in prop::collection::vec(-32_000i64..32_000, 1..200)) {
            let mut truth = 1i64 << 40;
            let mut last = truth as u64;
            for step in steps {
                truth += step;
                last = extend_sequence_number(truth as u16, last);
                prop_assert_eq!(last, truth as u64);
            }
        }

        #[test]
        fn newer_is_antisymmetric(a: u16, b: u16, c: u32, d: u32) {
            prop_assume!(a.wrapping_sub(b) != 0x8000 && c.wrapping_sub(d) != 0x8000_0000);
            prop_assert_eq!(is_newer_sequence_number(a, b), a != b && !is_newer_sequence_number(b, a));
            prop_assert_eq!(is_newer_timestamp(c, d), c != d && !is_newer_timestamp(d, c));
        }
    }
}
