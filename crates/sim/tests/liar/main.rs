//! Peers that lie in every field, behind a handshake that went well: their packets are authentic and what is in them is
//! not true. A unit drops or answers them, keeps what it remembers within bounds, and has nothing left when they are gone.

mod memory;
mod peers;

use std::time::Duration;

use bolero::TypeGenerator;
use model::unit::UnitCommand;
use peers::{Peers, Rtcp, Rtp};

/// Inputs of one run of the tests.
const INPUTS: usize = 200;
/// Steps of one input.
const STEPS_MAX: usize = 50;

/// What happens next.
#[derive(Debug, Clone, TypeGenerator)]
enum Step {
    Rtp(Rtp),
    Rtcp(Rtcp),
    /// Any bytes from a known address.
    Raw {
        who: u8,
        first: u8,
        bytes: Vec<u8>,
    },
    Bind {
        who: u8,
        slot: u8,
        sender: u8,
        line: u8,
        rid: Option<bool>,
        stop: bool,
    },
    Resize {
        who: u8,
        slot: u8,
        width: u16,
        height: u16,
    },
    Mute {
        who: u8,
        line: u8,
        muted: bool,
    },
    Offer {
        who: u8,
    },
    Close {
        who: u8,
    },
    Wait {
        ms: u16,
    },
}

fn take(peers: &mut Peers, step: &Step) {
    match step {
        Step::Rtp(packet) => peers.send_rtp(packet),
        Step::Rtcp(packet) => peers.send_rtcp(packet),
        Step::Raw { who, first, bytes } => {
            let datagram = [&[*first], bytes.as_slice()].concat();
            peers.send(*who, datagram);
        }
        Step::Bind { who, slot, sender, line, rid, stop } => {
            let source = (!stop).then(|| peers.source(*sender, *line));
            let rid = rid.and_then(|high| if high { "h" } else { "l" }.parse().ok());
            let command = UnitCommand::Bind {
                peer: peers.id(*who),
                slot: peers.slot(*who, *slot),
                source,
                home: None,
                rid,
            };
            peers.command(command);
        }
        Step::Resize { who, slot, width, height } => {
            let (peer, slot) = (peers.id(*who), peers.slot(*who, *slot));
            peers.command(UnitCommand::Resize { peer, slot, width: *width, height: *height, quality: None });
        }
        Step::Mute { who, line, muted } => {
            let source = peers.source(*who, *line);
            peers.command(UnitCommand::Mute { source, muted: *muted });
        }
        Step::Offer { who } => peers.join(*who),
        Step::Close { who } => peers.command(UnitCommand::Close { peer: peers.id(*who) }),
        Step::Wait { ms } => peers.wait(Duration::from_millis(u64::from(*ms))),
    }
}

#[test]
fn lies_in_any_order() {
    bolero::check!().with_type::<Vec<Step>>().with_iterations(INPUTS).for_each(|steps| {
        sim::on_fixed_thread(1, || {
            let mut peers = Peers::connected();
            for step in steps.iter().take(STEPS_MAX) {
                take(&mut peers, step);
            }
            peers.wait(Duration::from_millis(200));
            peers.leave();
        });
    });
}

#[test]
fn a_flood_of_lies_is_not_remembered() {
    sim::on_fixed_thread(1, || {
        let mut peers = Peers::connected();
        let flood = |peers: &mut Peers, packets: u32| {
            for n in 0..packets {
                peers.send_rtp(&Rtp::numbered(n));
                peers.send_rtcp(&Rtcp::numbered(n));
                if n % 64 == 0 {
                    peers.wait(Duration::from_millis(1));
                }
            }
        };
        // What a peer may make a unit remember is bounded: the second flood adds next to nothing.
        flood(&mut peers, 60_000);
        let before = memory::live_bytes();
        flood(&mut peers, 60_000);
        let grown = memory::live_bytes() - before;
        assert!(grown < 4 << 20, "{grown} bytes more");
        let counters = peers.counters();
        assert!(counters.packets_received > 10_000, "they do get in: {counters:?}");
        peers.leave();
    });
}
