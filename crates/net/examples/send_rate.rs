//! What a datagram costs on this machine, one way of sending and receiving after the other; measured by hand
//! (`cargo run --release -p net --example send_rate`). Over loopback the sender's time holds the receiver's half of the
//! network stack, and a run reaches a socket with GRO uncut, which flatters the last way: across a real interface the
//! receiver's kernel puts together what it can.
#![expect(clippy::disallowed_methods, reason = "a measurement reads clocks")]

use std::time::{Duration, Instant};

use model::datagram::{Outbox, Protocol, Transport};
use net::{NetConfig, RecvBatch, UdpSocket};

const DATAGRAM: [u8; 1200] = [0x80; 1200];
/// Receivers, each given as many datagrams in a row as `RUNS` says.
const RECEIVERS: usize = 50;
const ROUNDS: usize = 400;

fn main() -> std::io::Result<()> {
    let all = NetConfig::default();
    let ways = [
        ("one call each", NetConfig::plain()),
        ("sendmmsg, recvmmsg", NetConfig { gso: false, gro: false, ..all.clone() }),
        ("with GSO and GRO", all.clone()),
    ];
    println!(
        "{:<22}{:>6}{:>14}{:>9}{:>16}{:>9}",
        "way", "run", "ns to send", "ratio", "ns to receive", "ratio"
    );
    for run in [1, 2, 5, 8, 20] {
        let mut first = None;
        for (name, config) in &ways {
            let (send, receive) = measure(config, run)?;
            let (send_first, receive_first) = *first.get_or_insert((send, receive));
            let (send_ratio, receive_ratio) = (send / send_first, receive / receive_first);
            println!("{name:<22}{run:>6}{send:>14.0}{send_ratio:>9.2}{receive:>16.0}{receive_ratio:>9.2}");
        }
    }
    println!("\nmessages per recvmmsg with GRO, runs of 1 and 8: ns to receive a datagram");
    for messages in [1, 4, 8, 16, 32, 64] {
        let single = receive_with(&all, 1, messages)?;
        let run = receive_with(&all, 8, messages)?;
        println!("{messages:>6}{single:>10.0}{run:>10.0}   {} KiB", messages * 64);
    }
    Ok(())
}

/// Nanoseconds of one datagram to send and to receive.
fn measure(config: &NetConfig, run: usize) -> std::io::Result<(f64, f64)> {
    let mut from = UdpSocket::bind("127.0.0.1:0".parse().unwrap(), config)?;
    let mut into = receivers(config)?;
    let mut batch = RecvBatch::new(config);
    let mut outbox = Outbox::default();
    for receiver in &into {
        let (local, remote) = (from.local_addr(), receiver.local_addr());
        (0..run).for_each(|_| outbox.push(Transport { protocol: Protocol::Udp, local, remote }, &DATAGRAM));
    }
    let (mut send, mut receive, mut received) = (Duration::ZERO, Duration::ZERO, 0);
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let outcome = from.send(outbox.data(), outbox.runs());
        send += begin.elapsed();
        assert_eq!(outcome.dropped, 0);
        let begin = Instant::now();
        received += into.iter_mut().map(|receiver| drain(receiver, &mut batch)).sum::<usize>();
        receive += begin.elapsed();
    }
    assert_eq!(received, ROUNDS * RECEIVERS * run);
    let each = |time: Duration| time.as_nanos() as f64 / received as f64;
    Ok((each(send), each(receive)))
}

/// One socket that takes in what `RECEIVERS` senders sent.
fn receive_with(config: &NetConfig, run: usize, messages: usize) -> std::io::Result<f64> {
    let mut into = UdpSocket::bind("127.0.0.1:0".parse().unwrap(), config)?;
    let mut senders = receivers(config)?;
    let mut batch = RecvBatch::with_messages(config, messages);
    let (mut receive, mut received) = (Duration::ZERO, 0);
    for _ in 0..ROUNDS {
        for sender in &mut senders {
            let mut outbox = Outbox::default();
            let (local, remote) = (sender.local_addr(), into.local_addr());
            (0..run)
                .for_each(|_| outbox.push(Transport { protocol: Protocol::Udp, local, remote }, &DATAGRAM));
            sender.send(outbox.data(), outbox.runs());
        }
        let begin = Instant::now();
        received += drain(&mut into, &mut batch);
        receive += begin.elapsed();
    }
    Ok(receive.as_nanos() as f64 / received as f64)
}

fn receivers(config: &NetConfig) -> std::io::Result<Vec<UdpSocket>> {
    (0..RECEIVERS).map(|_| UdpSocket::bind("127.0.0.1:0".parse().unwrap(), config)).collect()
}

fn drain(socket: &mut UdpSocket, batch: &mut RecvBatch) -> usize {
    let mut datagrams = 0;
    while socket.recv_batch(batch).expect("loopback") > 0 {
        // As an engine does: every datagram's first bytes are looked at.
        datagrams += batch.iter_mut().filter(|(_, bytes)| bytes[0] == 0x80).count();
    }
    datagrams
}
