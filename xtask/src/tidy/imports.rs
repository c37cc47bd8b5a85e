//! The import table: which crate may use which, and what an engine may not reach by any path.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Problem;

/// The crates that decide and do not act.
pub(super) const ENGINES: &[&str] = &["model", "wire", "rtc", "sfu", "room", "turn"];

/// What each crate may import of the others. Downwards only; roles never import each other; a crate that is not
/// listed yet gets its row the day its first code lands.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    // Words
    ("model", &[]),
    ("wire", &["model"]),
    // Engines
    ("rtc", &["model"]),
    ("sfu", &["model", "rtc"]),
    ("room", &["model", "wire"]),
    ("turn", &["model"]),
    // Ports
    ("net", &["model"]),
    ("bus", &["model", "wire"]),
    ("store", &["model", "wire"]),
    // Roles
    ("gateway", &["model", "wire", "bus", "store"]),
    ("meet", &["model", "wire", "bus", "store"]),
    ("control", &["model", "wire", "bus", "store", "room"]),
    ("media", &["model", "wire", "bus", "rtc", "sfu", "turn", "net"]),
    // Programs
    ("althing", &["model", "wire", "bus", "store", "net", "gateway", "meet", "control", "media"]),
    ("load", &["model", "wire", "rtc", "net"]),
    // The simulator drives engines, and its senders are those of the load generator.
    ("sim", &["model", "wire", "rtc", "sfu", "room", "load"]),
    ("bench", &["model", "rtc", "sfu", "net", "media", "load"]),
    ("xtask", &["model", "wire"]),
];

/// What an engine must not reach, however far away: runtimes, sockets, databases.
const UNREACHABLE: &[&str] = &[
    "tokio",
    "mio",
    "async-std",
    "smol",
    "async-io",
    "polling",
    "socket2",
    "hyper",
    "axum",
    "reqwest",
    "quinn",
    "sqlx",
    "sqlx-core",
    "rusqlite",
    "rustls",
    "tungstenite",
    "if-addrs",
];

/// What an engine must not name itself: randomness and clocks are handed in. (The protocol crates below `rtc` have
/// sources of their own, which its tests replace.)
const NOT_DIRECT: &[&str] = &[
    "rand",
    "rand_core",
    "getrandom",
    "fastrand",
    "chrono",
    "time",
    "jiff",
    "libc",
    "nix",
    "rustix",
    "parking_lot",
];

/// Packages and what they need to run: no test or build dependencies.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Names of what a package needs, by its name. Versions of one package are one.
    needs: BTreeMap<String, BTreeSet<String>>,
    /// Our own crates.
    members: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Graph {
    /// Reads what `cargo metadata` prints.
    pub(super) fn of_metadata(json: &str) -> Result<Self> {
        let metadata: Metadata = serde_json::from_str(json).context("cargo metadata")?;
        let names: BTreeMap<&str, &str> =
            metadata.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
        let name_of = |id: &str| names.get(id).copied().unwrap_or(id).to_owned();
        let mut graph = Self::default();
        graph.members.extend(metadata.workspace_members.iter().map(|id| name_of(id)));
        for node in &metadata.resolve.nodes {
            let normal = node.deps.iter().filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            graph.needs.entry(name_of(&node.id)).or_default().extend(normal.map(|dep| name_of(&dep.pkg)));
        }
        Ok(graph)
    }

    fn direct(&self, name: &str) -> impl Iterator<Item = &str> {
        self.needs.get(name).into_iter().flatten().map(String::as_str)
    }

    /// The shortest way from a package to what it needs, by name; nothing when there is none.
    fn way(&self, from: &str, to: &str) -> Option<String> {
        let mut queue = VecDeque::from([vec![from]]);
        let mut seen = BTreeSet::from([from]);
        while let Some(way) = queue.pop_front() {
            for next in self.direct(way.last()?) {
                if next == to {
                    return Some([way.join(" → ").as_str(), to].join(" → "));
                }
                if seen.insert(next) {
                    queue.push_back(way.iter().copied().chain([next]).collect());
                }
            }
        }
        None
    }
}

/// Checks the table, and what engines reach.
pub(super) fn check(graph: &Graph) -> Vec<Problem> {
    let mut problems = Vec::new();
    for member in &graph.members {
        let file = if member == "xtask" { member.clone() } else { format!("crates/{member}") };
        let file = format!("{file}/Cargo.toml");
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| name == member) else {
            let text = "has no row in the import table (xtask/src/tidy/imports.rs)";
            problems.push(Problem::of_file(&file, text));
            continue;
        };
        let own = graph.direct(member).filter(|name| graph.members.contains(*name));
        for name in own.filter(|name| !allowed.contains(name)) {
            let text =
                format!("{member} may not import {name}: imports go down, roles do not know each other");
            problems.push(Problem::of_file(&file, text));
        }
        if ENGINES.contains(&member.as_str()) {
            problems.extend(engine(graph, member).into_iter().map(|text| Problem::of_file(&file, text)));
        }
    }
    problems
}

fn engine(graph: &Graph, name: &str) -> Vec<String> {
    let direct = graph.direct(name).filter(|need| NOT_DIRECT.contains(need));
    let mut problems: Vec<String> =
        direct.map(|need| format!("an engine is handed what {need} would give it")).collect();
    for far in UNREACHABLE {
        if let Some(way) = graph.way(name, far) {
            problems.push(format!("an engine acts on nothing, but: {way}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(needs: &[(&str, &[&str])]) -> Graph {
        let mut graph = Graph::default();
        for (name, list) in needs {
            if MAY_IMPORT.iter().any(|(known, _)| known == name) {
                graph.members.insert((*name).to_owned());
            }
            graph.needs.insert((*name).to_owned(), list.iter().map(|n| (*n).to_owned()).collect());
        }
        graph
    }

    fn texts(graph: &Graph) -> Vec<String> {
        check(graph).into_iter().map(|problem| problem.text).collect()
    }

    #[test]
    fn roles_do_not_import_each_other() {
        let found = texts(&graph(&[("gateway", &["control", "bus"]), ("control", &[]), ("bus", &[])]));
        assert_eq!(found, ["gateway may not import control: imports go down, roles do not know each other"]);
    }

    #[test]
    fn nothing_imports_upwards() {
        assert_eq!(texts(&graph(&[("model", &["wire"]), ("wire", &["model"])])).len(), 1);
    }

    #[test]
    fn an_engine_reaches_no_runtime_by_any_path() {
        let found = texts(&graph(&[("rtc", &["helper"]), ("helper", &["tokio"]), ("tokio", &[])]));
        assert_eq!(found, ["an engine acts on nothing, but: rtc → helper → tokio"]);
    }

    #[test]
    fn an_engine_names_no_randomness() {
        assert_eq!(texts(&graph(&[("room", &["rand"])])).len(), 1);
        assert!(texts(&graph(&[("rtc", &["dimpl"]), ("dimpl", &["rand"])])).is_empty());
        assert!(texts(&graph(&[("gateway", &["rand", "tokio"])])).is_empty());
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        let mut graph = graph(&[]);
        graph.members.insert("surprise".to_owned());
        assert_eq!(texts(&graph).len(), 1);
    }

    #[test]
    fn test_dependencies_do_not_count() {
        let json = r#"{
            "packages": [{"id": "a#1", "name": "room"}, {"id": "b#1", "name": "tokio"}],
            "workspace_members": ["a#1"],
            "resolve": {"nodes": [
                {"id": "a#1", "deps": [{"pkg": "b#1", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "b#1", "deps": []}
            ]}
        }"#;
        assert!(texts(&Graph::of_metadata(json).unwrap()).is_empty());
        let normal = json.replace("\"dev\"", "null");
        assert_eq!(
            texts(&Graph::of_metadata(&normal).unwrap()),
            ["an engine acts on nothing, but: room → tokio"]
        );
    }
}
