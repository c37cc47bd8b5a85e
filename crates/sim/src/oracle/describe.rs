//! What a person noticed, in words.

use std::time::Duration;

use crate::client::Played;
use crate::seat::PersonReport;

/// What a person noticed, in a line.
pub fn describe(name: &str, report: &PersonReport) -> String {
    let mut text = format!(
        "{name}: joined {:.2?}, connected {}, {} bytes dropped at the queue",
        report.joined,
        report.connected,
        report.dropped_down.bytes(Duration::ZERO, report.until),
    );
    for slot in &report.slots {
        match &slot.playout {
            Played::Sound(sound) => match sound.heard(report.base, report.base + report.until) {
                Some(heard) => {
                    let percent = heard.share() * 100.0;
                    text += &format!("\n    heard {percent:.1} %, longest gap {:?}", heard.longest_gap());
                }
                None => text += "\n    heard nothing",
            },
            Played::Picture { shown, key_frames_asked } => {
                text += &format!("\n    {} frames, {key_frames_asked} key frames asked for:", shown.len());
                let mut before = None;
                for shown in shown {
                    let at = shown.at - report.base;
                    let gap = before.map_or(Duration::ZERO, |(before, _)| at - before);
                    if gap > Duration::from_millis(150) {
                        text += &format!(" frozen {gap:.2?} until {at:.2?},");
                    }
                    if before.is_none_or(|(_, width)| width != shown.width) {
                        text += &format!(" {} wide from {at:.2?} on,", shown.width);
                    }
                    before = Some((at, shown.width));
                }
            }
        }
    }
    for sent in &report.sent {
        let rid = sent.rid.map_or("a single stream".to_owned(), |rid| rid.to_string());
        text += &format!(
            "\n    sent {rid}: {} packets, {} key frames asked for",
            sent.packets, sent.key_frames_asked
        );
    }
    if !report.sent.is_empty() {
        text += &format!("\n    {} retransmissions asked for", report.repairs_asked);
    }
    text
}
