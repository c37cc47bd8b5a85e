//! Deadlines of many things at once, each in constant time: a hierarchical timer wheel (Varghese and Lauck 1987).
//!
//! Pure data: it is told the time, so an engine can hold one.

use std::fmt;
use std::time::{Duration, Instant};

/// Slots of a level; a word of bits says which are in use.
const SLOTS: usize = 64;
const SLOT_BITS: u32 = 6;
/// Levels: 64 ms, 4 s, 4.4 min, 4.7 h. What is due later waits in the last slot reached and is looked at again then.
const LEVELS: usize = 4;
/// The list of what is due already, behind those of the slots.
const DUE: u16 = (LEVELS * SLOTS) as u16;
/// No entry.
const NONE: u32 = u32::MAX;

/// What a deadline belongs to: something that lies in a table, named by its index there. Indexes should be small: the
/// wheel keeps a place for each up to the largest.
pub(crate) trait TimerKey: Copy {
    /// The place in the table. Two keys of one index are the same timer.
    fn index(self) -> usize;
}

impl TimerKey for usize {
    fn index(self) -> usize {
        self
    }
}

impl TimerKey for u32 {
    fn index(self) -> usize {
        self as usize
    }
}

/// At most one deadline for each key, in ticks of a millisecond. A deadline is rounded up to a tick, so nothing is ever
/// early; it is late by less than a tick.
///
/// `schedule`, `cancel` and each expiry cost the same, however many timers there are.
pub(crate) struct TimerWheel<K> {
    /// Tick 0.
    base: Instant,
    /// All ticks up to this one are done.
    done: u64,
    entries: Vec<Entry<K>>,
    /// First entry of each slot's list, level by level, then that of [`DUE`].
    heads: [u32; LEVELS * SLOTS + 1],
    /// Which slots of a level have entries.
    used: [u64; LEVELS],
    len: usize,
}

#[derive(Clone, Copy)]
struct Entry<K> {
    /// The key, while scheduled.
    key: Option<K>,
    tick: u64,
    list: u16,
    previous: u32,
    next: u32,
}

impl<K> fmt::Debug for TimerWheel<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerWheel").field("len", &self.len).field("done", &self.done).finish_non_exhaustive()
    }
}

impl<K: TimerKey> TimerWheel<K> {
    /// The length of a tick.
    pub(crate) const TICK: Duration = Duration::from_millis(1);

    /// A wheel without timers that begins at `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            base: now,
            done: 0,
            entries: Vec::new(),
            heads: [NONE; LEVELS * SLOTS + 1],
            used: [0; LEVELS],
            len: 0,
        }
    }

    /// How many timers are scheduled.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether none is.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets the key's deadline; the former one is forgotten. A deadline in the past is due at once.
    pub(crate) fn schedule(&mut self, key: K, deadline: Instant) {
        let index = key.index();
        if index >= self.entries.len() {
            assert!(index < NONE as usize, "timer keys are small indexes");
            let empty = Entry { key: None, tick: 0, list: DUE, previous: NONE, next: NONE };
            self.entries.resize(index + 1, empty);
        }
        self.take_off(index);
        let after = deadline.saturating_duration_since(self.base);
        let tick = u64::try_from(after.as_nanos().div_ceil(Self::TICK.as_nanos())).unwrap_or(u64::MAX);
        let entry = &mut self.entries[index];
        (entry.key, entry.tick) = (Some(key), tick);
        self.len += 1;
        self.put_in(index as u32);
    }

    /// Forgets the key's deadline. Returns whether it had one.
    pub(crate) fn cancel(&mut self, key: K) -> bool {
        self.take_off(key.index())
    }

    /// The key's deadline, rounded up to a tick.
    pub(crate) fn deadline(&self, key: K) -> Option<Instant> {
        let entry = self.entries.get(key.index()).filter(|entry| entry.key.is_some())?;
        Some(self.instant(entry.tick))
    }

    /// A key whose deadline is reached, which is then forgotten. Call until there is none: keys come in the order of
    /// their ticks, within a tick in no stated order; those that were past when they were scheduled come first.
    pub(crate) fn poll_expired(&mut self, now: Instant) -> Option<K> {
        let now_tick = (now.saturating_duration_since(self.base).as_millis()).try_into().unwrap_or(u64::MAX);
        loop {
            let due = self.heads[usize::from(DUE)];
            if due != NONE {
                let key = self.entries[due as usize].key;
                self.take_off(due as usize);
                return key;
            }
            let Some((level, slot, tick)) = self.next_slot().filter(|(_, _, tick)| *tick <= now_tick) else {
                self.done = self.done.max(now_tick);
                return None;
            };
            self.done = tick;
            self.empty_slot(level, slot);
        }
    }

    /// When to call [`TimerWheel::poll_expired`] next: never later than the first deadline, and up to a slot of its level
    /// earlier when that is far away (a call then finds nothing and brings it nearer).
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        if self.heads[usize::from(DUE)] != NONE {
            return Some(self.instant(self.done));
        }
        self.next_slot().map(|(_, _, tick)| self.instant(tick))
    }

    /// The first multiple of a length, counted from the wheel's begin, that is not before `at`: what is due at the same
    /// time is done at the same time.
    pub(crate) fn next_multiple(&self, at: Instant, length: Duration) -> Instant {
        let past = at.saturating_duration_since(self.base).as_nanos() % length.as_nanos();
        // Less than a length, which fits.
        if past == 0 { at } else { at + (length - Duration::from_nanos(past as u64)) }
    }

    fn instant(&self, tick: u64) -> Instant {
        self.base + Duration::from_millis(tick)
    }

    /// The slot in use that is reached first, and the tick at which it begins.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        // A lower level's slots all come before those of the next higher one.
        let level = self.used.iter().position(|&used| used != 0)?;
        let shift = SLOT_BITS * level as u32;
        let here = (self.done >> shift) as u32 & (SLOTS as u32 - 1);
        let ahead = self.used[level].rotate_right(here).trailing_zeros();
        let slot = (here + ahead) as usize & (SLOTS - 1);
        let tick = ((self.done >> shift) + u64::from(ahead)) << shift;
        Some((level, slot, tick))
    }

    /// Takes everything out of a slot whose time has come: what is due becomes so, the rest moves nearer.
    fn empty_slot(&mut self, level: usize, slot: usize) {
        self.used[level] &= !(1 << slot);
        let mut next = std::mem::replace(&mut self.heads[level * SLOTS + slot], NONE);
        while next != NONE {
            let index = next;
            next = self.entries[index as usize].next;
            self.put_in(index);
        }
    }

    /// Puts an entry that is in no list into the one that its tick belongs to.
    fn put_in(&mut self, index: u32) {
        let tick = self.entries[index as usize].tick;
        let list = if tick <= self.done { DUE } else { self.list_of(tick) };
        if list != DUE {
            self.used[usize::from(list) / SLOTS] |= 1 << (usize::from(list) % SLOTS);
        }
        let head = std::mem::replace(&mut self.heads[usize::from(list)], index);
        if let Some(head) = self.entries.get_mut(head as usize) {
            head.previous = index;
        }
        let entry = &mut self.entries[index as usize];
        (entry.list, entry.previous, entry.next) = (list, NONE, head);
    }

    /// The slot of a tick that lies ahead: on the level of the highest digit in which it differs from now.
    fn list_of(&self, tick: u64) -> u16 {
        const TOP: u32 = LEVELS as u32 - 1;
        const LAST: u64 = SLOTS as u64 - 1;
        let level = (63 - (tick ^ self.done).leading_zeros()) / SLOT_BITS;
        if level > TOP {
            // Beyond the turn of the top level: to be looked at again in its last slot, then at its turn.
            let here = (self.done >> (SLOT_BITS * TOP)) & LAST;
            let slot = if here < LAST { LAST } else { 0 };
            return TOP as u16 * SLOTS as u16 + slot as u16;
        }
        let slot = (tick >> (SLOT_BITS * level)) & LAST;
        level as u16 * SLOTS as u16 + slot as u16
    }

    /// Takes an entry out of its list, if it is in one.
    fn take_off(&mut self, index: usize) -> bool {
        let Some(entry) = self.entries.get_mut(index) else { return false };
        if entry.key.take().is_none() {
            return false;
        }
        let Entry { list, previous, next, .. } = *entry;
        if let Some(next) = self.entries.get_mut(next as usize) {
            next.previous = previous;
        }
        match self.entries.get_mut(previous as usize) {
            Some(previous) => previous.next = next,
            None => {
                self.heads[usize::from(list)] = next;
                if next == NONE && list != DUE {
                    self.used[usize::from(list) / SLOTS] &= !(1 << (usize::from(list) % SLOTS));
                }
            }
        }
        self.len -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn expired(wheel: &mut TimerWheel<usize>, now: Instant) -> Vec<usize> {
        std::iter::from_fn(|| wheel.poll_expired(now)).collect()
    }

    #[test]
    fn nothing_is_early_and_nothing_is_a_tick_late() {
        let base = crate::tests_time::start();
        let mut wheel = TimerWheel::new(base);
        wheel.schedule(0usize, base + Duration::from_micros(1_500));
        assert_eq!(wheel.next_deadline(), Some(base + ms(2)));
        assert_eq!(expired(&mut wheel, base + Duration::from_micros(1_999)), Vec::<usize>::new());
        assert_eq!(expired(&mut wheel, base + ms(2)), [0]);
        assert!(wheel.is_empty());
        assert_eq!(wheel.next_deadline(), None);
        wheel.schedule(0, base);
        assert_eq!(wheel.next_deadline(), Some(base + ms(2)), "what is past is due now");
        assert_eq!(expired(&mut wheel, base + ms(2)), [0]);
    }

    #[test]
    fn multiples_are_counted_from_the_begin() {
        let base = crate::tests_time::start();
        let wheel = TimerWheel::<usize>::new(base);
        for (at, multiple) in [(0, 0), (1, 50), (49, 50), (50, 50), (1_020, 1_050)] {
            assert_eq!(wheel.next_multiple(base + ms(at), ms(50)), base + ms(multiple), "{at} ms");
        }
    }

    #[test]
    fn a_day_ahead_is_reached_in_few_steps() {
        let base = crate::tests_time::start();
        let mut wheel = TimerWheel::new(base);
        let deadline = base + Duration::from_secs(86_400);
        wheel.schedule(7usize, deadline);
        let mut wakes = 0;
        let mut now = base;
        while now < deadline {
            assert_eq!(wheel.poll_expired(now), None);
            now = wheel.next_deadline().unwrap().max(now);
            wakes += 1;
        }
        assert_eq!(expired(&mut wheel, deadline), [7]);
        assert!(wakes < 20, "{wakes}");
    }

    #[test]
    fn a_cancelled_or_replaced_deadline_does_not_fire() {
        let base = crate::tests_time::start();
        let mut wheel = TimerWheel::new(base);
        wheel.schedule(1usize, base + ms(5));
        wheel.schedule(2, base + ms(5));
        wheel.schedule(2, base + ms(500));
        assert!(wheel.cancel(1) && !wheel.cancel(1) && !wheel.cancel(99));
        assert_eq!(wheel.len(), 1);
        assert_eq!(expired(&mut wheel, base + ms(499)), Vec::<usize>::new());
        assert_eq!(wheel.deadline(2), Some(base + ms(500)));
        assert_eq!(expired(&mut wheel, base + ms(500)), [2]);
        assert_eq!(wheel.deadline(2), None);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Schedule {
            key: usize,
            after_us: u64,
        },
        Cancel {
            key: usize,
        },
        Advance {
            by_us: u64,
        },
        /// Sleep exactly as long as the wheel says.
        Obey,
    }

    fn step() -> impl Strategy<Value = Step> {
        let micros = prop_oneof![
            0..5_000u64,
            0..300_000u64,
            0..20_000_000u64,
            0..1_000_000_000u64,
            0..100_000_000_000u64,
            // Just beyond a turn of the top level.
            16_777_000_000..16_778_000_000u64
        ];
        prop_oneof![
            4 => (0..20usize, micros.clone()).prop_map(|(key, after_us)| Step::Schedule { key, after_us }),
            1 => (0..20usize).prop_map(|key| Step::Cancel { key }),
            2 => micros.prop_map(|by_us| Step::Advance { by_us }),
            3 => Just(Step::Obey),
        ]
    }

    proptest! {
        #[test]
        fn it_does_what_a_sorted_list_does(steps in proptest::collection::vec(step(), 1..200)) {
            let base = crate::tests_time::start();
            let mut now = base;
            let mut wheel = TimerWheel::new(base);
            // Deadline tick by key.
            let mut model = BTreeMap::<usize, u64>::new();
            for step in steps {
                match step {
                    Step::Schedule { key, after_us } => {
                        let deadline = now + Duration::from_micros(after_us);
                        wheel.schedule(key, deadline);
                        model.insert(key, ((deadline - base).as_micros() as u64).div_ceil(1000));
                    }
                    Step::Cancel { key } => {
                        prop_assert_eq!(wheel.cancel(key), model.remove(&key).is_some());
                    }
                    Step::Advance { by_us } => now += Duration::from_micros(by_us),
                    Step::Obey => now = wheel.next_deadline().map_or(now, |deadline| deadline.max(now)),
                }
                let now_tick = (now - base).as_millis() as u64;
                if matches!(step, Step::Advance { .. } | Step::Obey) {
                    let fired = expired(&mut wheel, now);
                    let mut due: Vec<_> = model.iter().filter(|(_, t)| **t <= now_tick).map(|(k, t)| (*t, *k)).collect();
                    due.sort_unstable();
                    let ticks: Vec<_> = fired.iter().map(|key| model[key]).collect();
                    prop_assert_eq!(&ticks, &due.iter().map(|(tick, _)| *tick).collect::<Vec<_>>());
                    let mut fired_keys = fired;
                    fired_keys.sort_unstable();
                    let mut due_keys: Vec<_> = due.iter().map(|(_, key)| *key).collect();
                    due_keys.sort_unstable();
                    prop_assert_eq!(fired_keys, due_keys);
                    model.retain(|_, tick| *tick > now_tick);
                }
                prop_assert_eq!(wheel.len(), model.len());
                let first = model.values().min().map(|tick| base + ms(*tick));
                match (wheel.next_deadline(), first) {
                    (None, None) => {}
                    (Some(said), Some(first)) => prop_assert!(said <= first.max(now)),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
    }
}
