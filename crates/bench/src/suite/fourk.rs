//! Three people who send 3840×2160 and see each other so.

use serde_json::Value;

use super::Suite;
use super::figures::{Better, Figure, Series};
use super::runs::{Notes, number};

/// Each has a slot for each of the two others.
const LOAD: &str = "--publishers 3 --receivers 3 --slots 2 --profile camera4k --verify";
/// The same packets as those six slots get.
const LIMIT: &str = "--receivers 6 --profile camera4k";

impl Suite {
    /// Large frames, few receivers.
    pub(super) fn fourk(&mut self) {
        let [mut delivered, mut intact, mut whole, mut ours, mut limit] = <[Series; 5]>::default();
        let mut notes = Notes::default();
        for _ in 0..self.rounds {
            let results = self.ours(LOAD);
            notes.of_load(&results);
            delivered.push(number(&results, "delivered_pct"));
            intact.push(intact_pct(&results));
            whole.push(results.as_ref().and_then(|results| results["pictures"]["3840x2160"].as_f64()));
            ours.push(number(&results, "server_ns_per_packet"));
            let results = self.limit(LIMIT);
            notes.of_limit(&results);
            limit.push(number(&results, "ns_per_packet"));
        }
        let of = |id: &str, text: &str, unit: &str, better: Better, values: &[f64]| {
            let text = format!("three senders of 3840×2160: {text}");
            Figure::new(&format!("fourk.{id}"), &text, unit, better, values)
        };
        let (more, less) = (Better::More, Better::Less);
        let figure = of("delivered", "packets delivered", "%", more, &delivered.values());
        self.add(notes.on(figure).map(|figure| figure.with_goal(99.9)));
        let figure = of("intact", "payloads as they were sent", "%", more, &intact.values());
        self.add(figure.map(|figure| figure.with_goal(100.0)));
        let figure = of("whole", "pictures of 3840×2160 received, of 6", "pictures", more, &whole.values());
        self.add(figure.map(|figure| figure.with_goal(6.0)));
        self.add(of("ours", "Althing", "ns/packet", less, &ours.values()));
        self.add(of("limit", "limit", "ns/packet", less, &limit.values()));
        self.add(of("over_limit", "Althing over limit", "×", less, &ours.over(&limit)));
    }
}

fn intact_pct(results: &Option<Value>) -> Option<f64> {
    let verified = number(results, "verified").filter(|verified| *verified > 0.0)?;
    Some(100.0 * (1.0 - number(results, "damaged")? / verified))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_not_looked_into_is_not_called_intact() {
        assert_eq!(intact_pct(&Some(json!({ "verified": 200, "damaged": 1 }))), Some(99.5));
        assert_eq!(intact_pct(&Some(json!({ "verified": 0, "damaged": 0 }))), None);
        assert_eq!(intact_pct(&None), None);
    }
}
