//! Any network: from 100 kbit/s to 100 Mbit/s, from no loss to 20 %, from no delay to a round trip of half a second.

use std::fmt;
use std::time::Duration;

use super::{GOOD, Person, Scenario, ms, seconds};
use crate::network::{Link, Loss, Script};
use crate::oracle::Expect;
use crate::random::Random;

const NAME: &str = "range";
const ABOUT: &str =
    "100 kbit/s to 100 Mbit/s, 0 to 20 % loss, 0 to 500 ms: speech is understood, video falls to what fits";
const LENGTH: Duration = seconds(30);

/// A path of the family.
#[derive(Debug, Clone, Copy)]
struct Path {
    kbps: u64,
    /// Of what is sent, in each direction.
    loss: f64,
    /// One way.
    latency_ms: u64,
    queue_ms: u64,
}

impl Path {
    /// Rates are spread evenly over their orders of magnitude; a third of all paths lose nothing.
    fn draw(random: &mut Random) -> Self {
        let kbps = (100.0 * 1_000f64.powf(random.share())) as u64;
        let loss = if random.happens(0.33) { 0.0 } else { 0.2 * random.share() };
        Self { kbps, loss, latency_ms: random.below(251), queue_ms: 100 + random.below(301) }
    }

    fn link(&self) -> Link {
        Link::good(self.latency_ms).limited(self.kbps, self.queue_ms).lossy(Loss::even(self.loss))
    }

    /// Until what fits has been found out: round trips in which that is learned, and what was too much until then.
    fn settled(&self) -> Duration {
        seconds(5) + ms(2 * self.latency_ms + self.queue_ms) * 4
    }

    /// Losses of pictures are repaired in time. The simulated client forgets what is a hundred packets behind, where
    /// browsers remember a thousand: with more than that in a round trip and a repetition it repairs nothing.
    fn is_repairable(&self) -> bool {
        self.loss == 0.0 || self.loss <= 0.1 && self.latency_ms <= 100
    }

    /// What is understood. One packet in so many is lost, and heard all the same if the next one is there, which has a
    /// copy of it; so of *p* lost, *p*² is gone. With a tenth of what is left for packets that a full queue delays, 95 %
    /// are heard at 10 % loss, where speech is understood without effort, and at 20 % with some.
    fn share_heard(&self) -> f64 {
        let gone = self.loss * self.loss;
        if self.loss <= 0.1 { 0.95 } else { 0.95 - gone }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kbps, loss, latency_ms, queue_ms } = self;
        let (percent, round_trip) = (loss * 100.0, latency_ms * 2);
        write!(f, "{kbps} kbit/s, {percent:.1} % loss, {round_trip} ms and {queue_ms} ms of queue")
    }
}

/// One person on such a path, beside one on a good one.
pub(super) fn range() -> Scenario {
    Scenario { draws: Some(draw), ..draw(&mut Random::new(0)) }
}

fn draw(random: &mut Random) -> Scenario {
    let path = Path::draw(random);
    let settled = path.settled();
    // The way to the unit has the loss and the delay; a browser would send what its rate carries.
    let up = Link::good(path.latency_ms).lossy(Loss::even(path.loss));
    let member = Person::viewer("member").down(Script::from(path.link())).up(up);
    let viewer = "member";
    let mut expects = vec![
        Expect::Sound { viewer, from: settled, share: path.share_heard(), longest_gap: ms(400) },
        Expect::Fits { viewer, from: settled, dropped: 0.1 },
        Expect::Freeze { viewer: "good", from: seconds(3), to: LENGTH, longest: ms(500) },
        Expect::Sound { viewer: "good", from: Duration::ZERO, share: 1.0, longest_gap: ms(0) },
    ];
    // Where the smallest picture fits with sound, there is one.
    if path.kbps >= 400 && path.is_repairable() {
        expects.push(Expect::FirstFrame { viewer, within: seconds(3) + ms(path.latency_ms) * 16 });
        expects.push(Expect::Freeze { viewer, from: settled, to: LENGTH, longest: seconds(4) });
    }
    Scenario {
        drawn: path.to_string(),
        people: vec![Person::sender("sender"), member, Person::viewer("good").down(GOOD)],
        expects,
        ..Scenario::new(NAME, ABOUT, LENGTH)
    }
}
