//! What is measured: one function for each group of figures.

use std::time::Duration;

use serde_json::Value;

use super::figures::{Better, Figure, Series};
use super::runs::{Notes, highest_carried, number};
use super::{Effort, Suite};

/// The median of saturation that later groups load in shares of.
const SATURATION_GUESS: f64 = 500_000.0;
/// Packets a second that one generator core decrypts beside its other work.
const DECRYPTED_PPS_MAX: f64 = 130_000.0;
/// Beyond, only so many are decrypted.
const DECRYPTED_PPS_SAMPLE: f64 = 25_000.0;

impl Suite {
    /// CPU for each forwarded packet, of us, of the limit, of Janus.
    pub(super) fn cpu(&mut self) {
        let cases: &[(u32, f64, u32)] = match self.effort {
            Effort::Quick => &[(50, 250.0, 8), (50, 2_500.0, 8)],
            Effort::Full => &[
                (50, 250.0, 1),
                (50, 250.0, 8),
                (50, 2_500.0, 1),
                (50, 2_500.0, 8),
                (200, 250.0, 1),
                (200, 250.0, 8),
                (200, 2_500.0, 1),
                (200, 2_500.0, 8),
            ],
        };
        for &(receivers, pps, burst) in cases {
            let (mut ours, mut limit, mut janus) = (Series::default(), Series::default(), Series::default());
            let mut notes = Notes::default();
            // Limit takes the generator's options.
            let load = steady(self.effort, receivers, pps, burst);
            let with_janus = pps < 1_000.0;
            for _ in 0..self.rounds {
                let results = self.ours(&load);
                notes.of_load(&results);
                ours.push(number(&results, "server_ns_per_packet"));
                let results = self.limit(&load);
                notes.of_limit(&results);
                limit.push(number(&results, "ns_per_packet"));
                if with_janus {
                    let results = self.janus(&load);
                    notes.of_janus(&results);
                    janus.push(number(&results, "server_ns_per_packet"));
                }
            }
            let id = format!("cpu.{receivers}x{pps}x{burst}");
            let shape = match burst {
                1 => format!("{receivers} receivers, {pps} packets/s one by one"),
                _ => format!("{receivers} receivers, {pps} packets/s in bursts of {burst}"),
            };
            let ns = |suffix: &str, who: &str, series: &Series| {
                let text = format!("{shape}: {who}");
                Figure::new(&format!("{id}.{suffix}"), &text, "ns/packet", Better::Less, &series.values())
            };
            self.add(notes.on(ns("ours", "Althing", &ours)));
            self.add(ns("limit", "limit", &limit));
            let ratio = ours.over(&limit);
            let text = format!("{shape}: Althing over limit");
            let figure = Figure::new(&format!("{id}.over_limit"), &text, "×", Better::Less, &ratio);
            let has_goal = (receivers, pps, burst) == (50, 2_500.0, 8);
            self.add(figure.map(|figure| if has_goal { figure.with_goal(1.3) } else { figure }));
            self.add(ns("janus", "Janus", &janus));
            let text = format!("{shape}: Janus over Althing");
            let figure =
                Figure::new(&format!("{id}.janus_over"), &text, "×", Better::More, &janus.over(&ours));
            let has_goal = receivers == 50;
            self.add(figure.map(|figure| if has_goal { figure.with_goal(8.0) } else { figure }));
        }
    }

    /// Packets a second on one core.
    pub(super) fn saturation(&mut self) {
        let (mut ours, mut limit, mut janus) = (Series::default(), Series::default(), Series::default());
        let mut notes = Notes::default();
        let (secs, factor) = match self.effort {
            Effort::Quick => (1.5, 1.2),
            Effort::Full => (2.5, 1.07),
        };
        for _ in 0..self.rounds {
            let results = self.limit(&format!("--saturate --receivers 50 --burst 8 --feed 0 --secs {secs}"));
            limit.push(number(&results, "sent_pps"));
            let most = limit.0.last().copied().flatten().unwrap_or(SATURATION_GUESS);
            let ramp = |share: f64, factor: f64| {
                let pps = (most * share / 50.0).round();
                format!(
                    "--receivers 50 --burst 8 --feed 0 --ramp {factor} --pps {pps} --secs {secs} --warm 0.7"
                )
            };
            let mut best = None;
            // Further down if not even the first rate is carried.
            for share in [0.5, 0.2] {
                let results = self.ours_ramp(&ramp(share, factor));
                best = highest_carried(&results);
                if best.is_some() {
                    if let Some(last) = results.last() {
                        notes.of_ramp_end(last);
                    }
                    break;
                }
            }
            ours.push(best);
            let results = self.janus_ramp(&ramp(0.02, 1.15));
            janus.push(highest_carried(&results));
        }
        let pps = |suffix: &str, who: &str, series: &Series| {
            let text = format!("packets/s on one core, 50 receivers, bursts of 8: {who}");
            let id = format!("saturation.{suffix}");
            Figure::new(&id, &text, "packets/s", Better::More, &series.values())
        };
        self.add(pps("limit", "limit", &limit));
        self.saturation_pps = pps("ours", "Althing", &ours).map(|figure| figure.median);
        self.add(notes.on(pps("ours", "Althing", &ours)));
        self.add(pps("janus", "Janus", &janus));
        let ratio = |suffix: &str, text: &str, values: Vec<f64>, goal: f64| {
            let figure = Figure::new(&format!("saturation.{suffix}"), text, "×", Better::More, &values);
            figure.map(|figure| figure.with_goal(goal))
        };
        self.add(ratio("over_limit", "saturation: Althing over limit", ours.over(&limit), 0.75));
        self.add(ratio("over_janus", "saturation: Althing over Janus", ours.over(&janus), 8.0));
    }

    /// What a receiver's session takes, with slots as applications make them.
    pub(super) fn memory(&mut self) {
        const FEW: u32 = 50;
        const MANY: u32 = 200;
        let mut series = [Series::default(), Series::default()];
        for _ in 0..self.rounds {
            let kib = |suite: &mut Self, janus: bool, receivers: u32| {
                let common = format!("--receivers {receivers} --audio --pps 50");
                let results =
                    if janus { suite.janus(&common) } else { suite.ours(&format!("{common} --slots 20")) };
                number(&results, "server_rss_kib")
            };
            for (janus, series) in [false, true].into_iter().zip(&mut series) {
                if janus && !self.bench.has_janus() {
                    continue;
                }
                let (few, many) = (kib(self, janus, FEW), kib(self, janus, MANY));
                series.push(few.zip(many).map(|(few, many)| (many - few) / f64::from(MANY - FEW)));
            }
        }
        let [ours, janus] = series;
        let text = "memory of a receiver, 10 video and 10 audio slots: Althing";
        let figure = Figure::new("memory.ours", text, "KiB", Better::Less, &ours.values());
        self.add(figure.map(|figure| figure.with_goal(128.0)));
        let text = "memory of a receiver, one video and one audio line: Janus";
        self.add(Figure::new("memory.janus", text, "KiB", Better::Less, &janus.values()));
    }

    /// From a packet's sending by the publisher to its arrival at the receiver's socket.
    pub(super) fn delay(&mut self) {
        let capacity = self.saturation_pps.unwrap_or(SATURATION_GUESS);
        let shares: &[f64] = match self.effort {
            Effort::Quick => &[0.5],
            Effort::Full => &[0.1, 0.5, 0.8],
        };
        for &share in shares {
            let pps = (capacity * share / 50.0).round();
            let load = format!("--receivers 50 --burst 8 --pps {pps} --feed 10 --delay");
            let (mut ours, mut limit) = (<[Series; 3]>::default(), <[Series; 3]>::default());
            let mut notes = Notes::default();
            for _ in 0..self.rounds {
                let results = self.ours(&load);
                notes.of_load(&results);
                for (series, key) in ours.iter_mut().zip(DELAYS) {
                    series.push(number(&results, key.0));
                }
                let results = self.limit(&load);
                for (series, key) in limit.iter_mut().zip(DELAYS) {
                    series.push(number(&results, key.0));
                }
            }
            let percent = (share * 100.0).round();
            for (index, (_, name)) in DELAYS.iter().enumerate() {
                let id = format!("delay.{percent}.{name}");
                let text = |who: &str| format!("forwarding delay at {percent} % of capacity, {name}: {who}");
                let (Some(own), Some(least)) = (ours.get(index), limit.get(index)) else { continue };
                let of = |who: &str, named: &str, values: Vec<f64>| {
                    Figure::new(&format!("{id}.{who}"), &text(named), "µs", Better::Less, &values)
                };
                self.add(notes.on(of("ours", "Althing", own.values())));
                self.add(of("limit", "limit", least.values()));
                let figure = of("above_limit", "Althing above limit", own.minus(least));
                let has_goal = (percent, *name) == (50.0, "p99");
                self.add(figure.map(|figure| if has_goal { figure.with_goal(2_000.0) } else { figure }));
            }
        }
    }

    /// Many join at once.
    pub(super) fn storm(&mut self) {
        let (receivers, rate) = match self.effort {
            Effort::Quick => (100, 50),
            Effort::Full => (500, 50),
        };
        let load = format!("--receivers {receivers} --join-rate {rate} --pps 30 --feed 0 --setup 60");
        let keys = [
            ("join_ms_median", "ms", "from the join's begin to the first packet, median"),
            ("join_ms_p95", "ms", "the same, 95 %"),
            ("join_ms_p99", "ms", "the same, 99 %"),
            ("joins_failed", "joins", "that failed"),
            ("join_server_cpu_pct", "% of a core", "the server's CPU meanwhile"),
            ("join_own_cpu_pct", "% of a core", "the generator's CPU meanwhile"),
        ];
        let mut series = keys.map(|_| Series::default());
        for _ in 0..self.rounds {
            let results = self.ours(&load);
            for (series, (key, ..)) in series.iter_mut().zip(keys) {
                series.push(number(&results, key));
            }
        }
        for (series, (key, unit, text)) in series.iter().zip(keys) {
            let text = format!("{receivers} joins, {rate} a second: {text}");
            let id = format!("storm.{receivers}.{key}");
            let mut figure = Figure::new(&id, &text, unit, Better::Less, &series.values());
            if let Some(figure) = &mut figure
                && key.ends_with("own_cpu_pct")
                && figure.max > 90.0
            {
                figure.notes.push("the generator was the limit: it plays all the clients on one core".into());
            }
            self.add(figure);
        }
    }

    /// Cost for each packet when there is more of everything but packets.
    pub(super) fn growth(&mut self) {
        let quick = self.effort == Effort::Quick;
        let receivers: &[u32] = if quick { &[50, 200] } else { &[50, 200, 500, 999] };
        let effort = self.effort;
        self.growth_of("receivers", receivers, true, |n| steady(effort, n, 250.0, 8));
        if quick {
            return;
        }
        self.growth_of("tracks", &[1, 10, 50], false, |n| {
            let pps = 2_500.0 / f64::from(n);
            format!("--publishers {n} --receivers 20 --pps {pps} --burst 8 --feed 1")
        });
        self.growth_of("rooms", &[1, 10, 100], false, |n| {
            let shape = "--publishers 100 --receivers 100 --slots 1 --pps 250 --burst 8 --feed 1";
            format!("{shape} --rooms {n}")
        });
        self.growth_of("m-lines", &[1, 10, 50], false, |n| {
            format!("--receivers 50 --slots {n} --pps 250 --burst 8 --feed 1")
        });
    }

    /// `shape` gives the options, for limit too, which is measured only where it grows.
    fn growth_of(&mut self, what: &str, counts: &[u32], limit_grows: bool, shape: impl Fn(u32) -> String) {
        let mut ours = vec![Series::default(); counts.len()];
        let mut limit = vec![Series::default(); counts.len()];
        let mut notes = vec![Notes::default(); counts.len()];
        for _ in 0..self.rounds {
            for (index, &count) in counts.iter().enumerate() {
                let load = shape(count);
                let results = self.ours(&load);
                let (Some(ours), Some(limit), Some(notes)) =
                    (ours.get_mut(index), limit.get_mut(index), notes.get_mut(index))
                else {
                    continue;
                };
                notes.of_load(&results);
                ours.push(number(&results, "server_ns_per_packet"));
                if limit_grows {
                    let results = self.limit(&load);
                    limit.push(number(&results, "ns_per_packet"));
                }
            }
        }
        let (Some(ours_first), Some(limit_first), Some(&first)) =
            (ours.first(), limit.first(), counts.first())
        else {
            return;
        };
        let (ours_first, limit_first) = (ours_first.clone(), limit_first.clone());
        for (index, &count) in counts.iter().enumerate() {
            let (Some(series), Some(least), Some(notes)) =
                (ours.get(index), limit.get(index), notes.get(index))
            else {
                continue;
            };
            let text = format!("{count} {what}: Althing");
            let id = format!("growth.{what}.{count}");
            let ns = Figure::new(&format!("{id}.ours"), &text, "ns/packet", Better::Less, &series.values());
            self.add(notes.on(ns));
            if index == 0 {
                continue;
            }
            let grown = Series(series.over(&ours_first).into_iter().map(Some).collect());
            let (values, against) = if limit_grows {
                let limit_grown = Series(least.over(&limit_first).into_iter().map(Some).collect());
                (grown.over(&limit_grown), " over limit's")
            } else {
                (grown.values(), "")
            };
            let text = format!("growth from {first} to {count} {what}{against}");
            let figure = Figure::new(&format!("{id}.growth"), &text, "×", Better::Less, &values);
            self.add(figure.map(|figure| figure.with_goal(1.15)));
        }
    }

    /// Single steps, and what other crates measure of themselves.
    pub(super) fn micro(&mut self) {
        let results = self.folder_file("micro.jsonl");
        let path = results.to_string_lossy().into_owned();
        let rounds = if self.effort == Effort::Quick { "3" } else { "7" };
        let own = self.bench.programs().join("althing-bench");
        let arguments = ["micro", "--rounds", rounds, "--json", &path];
        let output = self.bench.output_of(&own, &arguments, Duration::from_secs(120));
        if let Some(output) = self.told("micro", output) {
            println!("{output}");
            let text = std::fs::read_to_string(&results).unwrap_or_default();
            self.add_steps("micro", &text);
        }
        // Whoever has a hot path of their own adds an example named `*_cost`; `make bench` builds and this runs it.
        for program in cost_examples(self.bench.programs()) {
            let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let output = self.bench.output_of(&program, &[], Duration::from_secs(180));
            if let Some(output) = self.told(&name, output) {
                println!("  {name}:\n{output}");
                self.add_steps(&name, &output);
            }
        }
    }

    /// Lines of JSON with `name`, `ns_median`, `ns_min` and `ns_max`; other lines are for people.
    fn add_steps(&mut self, group: &str, lines: &str) {
        for line in lines.lines() {
            let Ok(step) = serde_json::from_str::<Value>(line) else { continue };
            let Some(name) = step["name"].as_str() else { continue };
            let values = ["ns_min", "ns_median", "ns_max"].map(|key| step[key].as_f64().unwrap_or(f64::NAN));
            let text = format!("{group}: {name}");
            self.add(Figure::new(&format!("{group}.{name}"), &text, "ns", Better::Less, &values));
        }
    }
}

/// Percentiles: the key in results, and its name.
const DELAYS: [(&str, &str); 3] =
    [("delay_us_p50", "p50"), ("delay_us_p99", "p99"), ("delay_us_p999", "p99.9")];

/// Every how many-th receiver is a whole client.
fn feed(receivers: u32, pps: f64) -> u32 {
    let all = f64::from(receivers) * pps;
    if all <= DECRYPTED_PPS_MAX { 1 } else { (all / DECRYPTED_PPS_SAMPLE).ceil() as u32 }
}

/// A steady rate. Few packets are measured for longer: what a receiver costs at first, until its path is known, would else
/// be most of what is measured.
fn steady(effort: Effort, receivers: u32, pps: f64, burst: u32) -> String {
    let feed = feed(receivers, pps);
    let times = if pps < 1_000.0 && effort == Effort::Full { " --warm 6 --secs 8" } else { "" };
    format!("--receivers {receivers} --pps {pps} --burst {burst} --feed {feed}{times}")
}

fn cost_examples(programs: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(programs.join("examples")).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_none())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("_cost")))
        .filter(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().contains('-')))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_decrypt_where_one_core_can() {
        assert_eq!((feed(50, 250.0), feed(50, 2_500.0), feed(200, 2_500.0)), (1, 1, 20));
    }
}
