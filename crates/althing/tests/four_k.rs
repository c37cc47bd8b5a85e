//! Three people who send 3840×2160, and see each other so: the real program, and the load generator's clients over real
//! sockets.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use clap::Parser;
use load::args::Args;
use net::clock;
use serde_json::Value;

/// A program that has not answered after so long will not.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// The program, ended with the test.
struct Program {
    child: Child,
    /// Held, so that it has somewhere to write.
    log: BufReader<ChildStderr>,
    http: String,
}

impl Program {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_althing"))
            .env_clear()
            .args(["serve", "--http", "127.0.0.1:0", "--https", "off", "--media-port", "0"])
            .args(["--advertise-ip", "127.0.0.1", "--log", "warn,althing=info", "--log-format", "json"])
            .arg("--data-dir")
            .arg(data)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut program = Self { child, log, http: String::new() };
        let mut said = String::new();
        while program.http.is_empty() {
            let begin = said.len();
            assert!(program.log.read_line(&mut said).unwrap() > 0, "it ended:\n{said}");
            let line: Value = serde_json::from_str(&said[begin..]).unwrap_or_default();
            if line["message"] == "running" {
                program.http = line["http"].as_str().unwrap().to_owned();
            }
        }
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the generator once the program answers.
fn load(program: &Program, line: &str, results: &Path) -> Value {
    let line = format!("althing-load --url http://{} --json {} {line}", program.http, results.display());
    let args = Args::parse_from(line.split_whitespace());
    let deadline = clock::now() + READY_WITHIN;
    // It ends at once while there is no media unit yet.
    let outcome = loop {
        match load::run::run(args.clone().plan().unwrap()) {
            Ok(outcome) => break outcome,
            Err(error) => assert!(clock::now() < deadline, "{error:#}"),
        }
    };
    let report: Value =
        serde_json::from_str(std::fs::read_to_string(results).unwrap().lines().last().unwrap()).unwrap();
    assert!(outcome.good, "{report}");
    report
}

#[test]
fn three_senders_of_3840_by_2160_are_forwarded_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&folder.path().join("data"));
    // Each receiver has a slot for each of the two others of three. Its estimate needs some seconds to learn that the
    // path carries two pictures of 16 Mbit/s.
    let people = "--publishers 3 --receivers 3 --slots 2 --hello --verify";
    let camera = "--profile camera4k --simulcast --warm 8 --secs 3";
    let report = load(&program, &format!("{people} {camera}"), &folder.path().join("results"));
    assert_eq!(report["announced"], "3840x2160", "{report}");
    assert_eq!(report["pictures"], serde_json::json!({ "3840x2160": 6 }), "{report}");
    let count = |key: &str| report[key].as_u64().unwrap();
    assert_eq!((count("damaged"), count("unknown"), count("frozen_at_end")), (0, 0, 0), "{report}");
    // Six streams of half a hundred packets a frame.
    assert!(count("verified") > 6 * 45 * 30 * 2, "{report}");
    assert!(count("lost") <= count("repairs"), "what got lost was repaired: {report}");
    assert!(count("decrypted") >= count("forwarded"), "{report}");
}
