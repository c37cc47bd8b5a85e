//! Any bytes, and recorded offers with some of their bytes changed: an answer by the rules or an error, and never
//! anything else.
//!
//! `cargo test` runs a bounded number of inputs; `cargo bolero test -p rtc <name>` runs on for as long as wanted.

mod sdp_support;

use std::path::Path;
use std::sync::OnceLock;

use model::limits::SDP_BYTES_MAX;
use rtc::sdp::SessionDescription;

use sdp_support::{Server, check_answer, parsed};

/// Inputs of one run of the tests. Enough to meet every branch with recorded offers, and done in seconds.
const INPUTS: usize = 2_000;

/// The smaller recorded offers: what is found in a large one is found in a small one, sooner.
const RECORDED_BYTES_MAX: usize = 8_000;

fn recorded() -> &'static [String] {
    static OFFERS: OnceLock<Vec<String>> = OnceLock::new();
    OFFERS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        let files = folder.read_dir().expect("the corpus").map(|entry| entry.expect("a file").path());
        let mut files: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|end| end == "sdp")).collect();
        files.sort();
        let texts = files.iter().map(|path| std::fs::read_to_string(path).expect("text"));
        texts.filter(|text| text.len() < RECORDED_BYTES_MAX).collect()
    })
}

/// Offers the text, and a second time what came of it.
fn offer(text: &str) {
    assert!(text.len() <= SDP_BYTES_MAX);
    let Ok(offer) = SessionDescription::parse(text) else { return };
    let again = SessionDescription::parse(&offer.to_string()).expect("we read what we write");
    assert_eq!(offer, again);
    let mut server = Server::new();
    let Ok(first) = server.answer_parsed(&offer) else { return };
    check_answer(&offer, &first);
    let second = server.answer_parsed(&offer).expect("the same offer is as good as before");
    check_answer(&offer, &second);
    assert_eq!(parsed(&first).media, parsed(&second).media, "nothing changed");
}

#[test]
fn any_text() {
    bolero::check!().with_iterations(INPUTS).for_each(|bytes: &[u8]| {
        offer(&String::from_utf8_lossy(bytes));
        offer(&format!("v=0\r\n{}", String::from_utf8_lossy(bytes)));
    });
}

/// One change to a text: where, and what to.
type Edit = (u16, u8, u8);

#[test]
fn recorded_offers_with_changed_bytes() {
    bolero::check!().with_type::<(u8, Vec<Edit>)>().with_iterations(INPUTS).for_each(|(which, edits)| {
        let offers = recorded();
        let text = &offers[usize::from(*which) % offers.len()];
        offer(&change_bytes(text, edits));
    });
}

fn change_bytes(text: &str, edits: &[Edit]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (place, how, value) in edits.iter().take(16) {
        let place = usize::from(*place) % bytes.len().max(1);
        match how % 4 {
            0 => bytes[place] = *value,
            1 => bytes.insert(place, *value),
            2 => bytes.truncate(place.max(1)),
            // Digits and separators get further than other bytes.
            _ => bytes[place] = b"0123456789:;,= /-~\r\n"[usize::from(*value) % 20],
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn recorded_offers_with_lines_from_others() {
    bolero::check!().with_type::<Vec<(u8, u8, u16, u16)>>().with_iterations(INPUTS).for_each(|picks| {
        let offers = recorded();
        let mut lines = vec!["v=0".to_owned()];
        for (which, how_many, from, _) in picks.iter().take(24) {
            let source: Vec<&str> = offers[usize::from(*which) % offers.len()].lines().collect();
            let from = usize::from(*from) % source.len();
            let many = usize::from(*how_many % 40);
            lines.extend(
                source
                    .iter()
                    .skip(from)
                    .take(many)
                    .filter(|line| !line.starts_with("v="))
                    .map(|line| line.to_string()),
            );
        }
        offer(&(lines.join("\r\n") + "\r\n"));
    });
}
