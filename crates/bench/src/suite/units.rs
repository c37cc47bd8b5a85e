//! What a second unit adds, and what a second core adds on this machine to work of which nothing is shared.

use std::time::Duration;

use serde_json::Value;

use super::figures::{Better, Figure, Series};
use super::runs::number;
use super::{Effort, Suite};

/// A single run that takes longer hangs; clients connect before it is measured.
const RUN_MAX: Duration = Duration::from_secs(120);

/// What one number of threads gave, over the rounds.
#[derive(Default)]
struct Case {
    pps: Series,
    ns: Series,
}

impl Case {
    fn push(&mut self, results: &Option<Value>) {
        self.pps.push(number(results, "pps"));
        self.ns.push(number(results, "ns_per_packet"));
    }
}

impl Suite {
    /// A room on one unit with so many receivers, and on two with as many each.
    pub(super) fn units(&mut self) {
        let (receivers, secs, warm) = match self.effort {
            Effort::Quick => (50, 1.5, 1.5),
            Effort::Full => (50, 4.0, 3.0),
        };
        let cores = self.bench.cores();
        let [mut one, mut two, mut limit_one, mut limit_two] = <[Case; 4]>::default();
        let mut notes: Vec<String> = Vec::new();
        for round in 0..self.rounds {
            // Alone on one core, then on the other: the two need not be as fast.
            let alone = if round % 2 == 0 { cores.0 } else { cores.1 };
            let on_one = format!("--units 1 --cpus {alone}");
            let on_two = format!("--units 2 --cpus {},{}", cores.0, cores.1);
            let load = format!("--receivers {receivers} --secs {secs}");
            let mut run = |threads: &str, more: &str| {
                let arguments = format!("{threads} {load} {more}");
                let results = self.bench.units(&arguments, RUN_MAX);
                self.told(&arguments, results)
            };
            limit_one.push(&run(&on_one, "--limit --warm 0.3"));
            one.push(&run(&on_one, &format!("--warm {warm}")));
            limit_two.push(&run(&on_two, "--limit --warm 0.3"));
            let results = run(&on_two, &format!("--warm {warm}"));
            two.push(&results);
            for note in results.iter().flat_map(notes_of) {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        let of = |id: &str, text: &str, unit: &str, better: Better, values: &[f64]| {
            Figure::new(&format!("units.{id}"), text, unit, better, values)
        };
        let (more, less) = (Better::More, Better::Less);
        let text = format!("{receivers} receivers, one unit");
        self.add(of("one.pps", &text, "packets/s", more, &one.pps.values()));
        self.add(of("one.ns", &format!("{text}: CPU"), "ns/packet", less, &one.ns.values()));
        let text = format!("2 × {receivers} receivers of one room, two units");
        self.add(of("two.pps", &text, "packets/s", more, &two.pps.values()));
        self.add(of("two.ns", &format!("{text}: CPU"), "ns/packet", less, &two.ns.values()));
        let text = "packets/s of two units over one";
        let figure = of("two_over_one", text, "×", more, &two.pps.over(&one.pps));
        self.add(figure.map(|figure| Figure { notes, ..figure.with_goal(1.8) }));
        let text = "the same by CPU time: what two cores of one's own would give";
        let by_cpu: Vec<f64> = one.ns.over(&two.ns).iter().map(|ratio| 2.0 * ratio).collect();
        self.add(of("two_over_one_cpu", text, "×", more, &by_cpu));
        let text = "packets/s of limit's work on two threads over one";
        let by_limit = limit_two.pps.over(&limit_one.pps);
        self.add(of("limit_two_over_one", text, "×", more, &by_limit));
        let text = "limit's work, one thread: CPU";
        self.add(of("limit_one.ns", text, "ns/packet", less, &limit_one.ns.values()));
    }
}

/// What restricts the meaning of a run.
fn notes_of(results: &Value) -> Vec<String> {
    let count = |key: &str| results[key].as_f64().unwrap_or(0.0);
    let packets = count("packets").max(1.0);
    let mut notes = Vec::new();
    if count("batches_lost") > 0.0 {
        notes.push("a link between units was full at times".to_owned());
    }
    if count("dropped") > packets / 1_000.0 {
        notes.push("more than one packet in a thousand was not taken by the kernel".to_owned());
    }
    if count("paced") > packets / 100.0 {
        notes.push("more than 1 % of the packets waited for a path".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_not_as_it_should_be_is_said() {
        let good = json!({ "packets": 1_000_000, "batches_lost": 0, "dropped": 3, "paced": 100 });
        assert!(notes_of(&good).is_empty());
        let bad = json!({ "packets": 1_000_000, "batches_lost": 1, "dropped": 3_000, "paced": 30_000 });
        assert_eq!(notes_of(&bad).len(), 3);
    }
}
