//! UDP over loopback, with real sockets: every way to send against every way to receive.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests of the crate that has the sockets"
)]

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use model::datagram::{Outbox, Protocol, Transport};
use net::{NetConfig, Poller, RecvBatch, SendOutcome, UdpSocket};

const V4: &str = "127.0.0.1:0";
/// A test that waits this long has failed; none waits when all is well.
const PATIENCE: Duration = Duration::from_secs(10);

fn ways() -> [(&'static str, NetConfig); 4] {
    let all = NetConfig::default();
    [
        ("all", all.clone()),
        ("no gso", NetConfig { gso: false, ..all.clone() }),
        ("no gro", NetConfig { gro: false, ..all }),
        ("plain", NetConfig::plain()),
    ]
}

fn bind(address: &str, config: &NetConfig) -> UdpSocket {
    UdpSocket::bind(address.parse().unwrap(), config).unwrap()
}

fn to(remote: SocketAddr, from: SocketAddr) -> Transport {
    Transport { protocol: Protocol::Udp, local: from, remote }
}

fn send(socket: &mut UdpSocket, outbox: &Outbox) -> SendOutcome {
    socket.send(outbox.data(), outbox.runs())
}

/// Takes in that many datagrams, in order of arrival.
fn receive(socket: &mut UdpSocket, config: &NetConfig, count: usize) -> Vec<(Transport, Vec<u8>)> {
    let mut poller = Poller::new(config).unwrap();
    poller.add_udp(socket, 3).unwrap();
    let mut batch = RecvBatch::new(config);
    let mut datagrams = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while datagrams.len() < count {
        let ready = poller.wait(Some(deadline)).unwrap();
        assert_eq!(ready.udp, [3], "{} of {count} datagrams came", datagrams.len());
        assert_ne!(socket.recv_batch(&mut batch).unwrap(), 0);
        let before = datagrams.len();
        datagrams.extend(batch.iter_mut().map(|(transport, bytes)| (transport, bytes.to_vec())));
        assert_eq!(datagrams.len() - before, batch.datagrams());
    }
    assert_eq!(socket.recv_batch(&mut batch).unwrap(), 0);
    datagrams
}

/// Sizes as media has them: runs of one size, a last packet a byte longer or much shorter, tiny ones in between.
fn varied(count: usize) -> Vec<Vec<u8>> {
    let sizes = [1200, 1200, 1200, 1201, 1200, 300, 40, 40, 1, 1460, 1460, 1460, 1460, 17, 1200];
    (0..count).map(|n| (0..sizes[n % sizes.len()]).map(|i| (i * 31 + n) as u8).collect()).collect()
}

#[test]
fn bytes_and_order_survive_every_pair_of_ways() {
    for (send_way, send_config) in ways() {
        for (receive_way, receive_config) in ways() {
            let mut from = bind(V4, &send_config);
            let mut into = bind(V4, &receive_config);
            let transport = to(into.local_addr(), from.local_addr());
            let sent = varied(150);
            let mut outbox = Outbox::default();
            sent.iter().for_each(|datagram| outbox.push(transport, datagram));
            let outcome = send(&mut from, &outbox);
            assert_eq!((outcome.sent, outcome.dropped), (150, 0));
            assert_eq!(outcome.bytes, sent.iter().map(Vec::len).sum::<usize>() as u64);
            let received = receive(&mut into, &receive_config, 150);
            let came_by = to(from.local_addr(), into.local_addr());
            for ((transport, bytes), sent) in received.iter().zip(&sent) {
                assert_eq!(*transport, came_by, "{send_way} to {receive_way}");
                assert!(bytes == sent, "{send_way} to {receive_way}: {} for {}", bytes.len(), sent.len());
            }
            assert_eq!(into.counters().received, 150);
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn offload_is_really_used() {
    let config = NetConfig::default();
    let (mut from, mut into) = (bind(V4, &config), bind(V4, &config));
    assert!(from.facts().gso && into.facts().gro && from.facts().batch, "{:?}", from.facts());
    let transport = to(into.local_addr(), from.local_addr());
    let mut outbox = Outbox::default();
    (0..40).for_each(|n| outbox.push(transport, &[n; 1200]));
    assert_eq!(send(&mut from, &outbox).syscalls, 1);
    let mut poller = Poller::new(&config).unwrap();
    poller.add_udp(&into, 0).unwrap();
    poller.wait(Some(Instant::now() + PATIENCE)).unwrap();
    let mut batch = RecvBatch::new(&config);
    assert_eq!(into.recv_batch(&mut batch).unwrap(), 1, "one message for all");
    assert_eq!(batch.datagrams(), 40);
    assert!(batch.iter_mut().zip(0..).all(|((_, bytes), n)| bytes == [n; 1200]));
}

#[test]
fn what_was_asked_for_is_said() {
    let facts = bind(V4, &NetConfig::plain()).facts();
    assert!(!facts.gso && !facts.gro && !facts.batch);
    assert!(facts.receive_buffer_bytes > 0 && facts.send_buffer_bytes > 0 && facts.local.port() != 0);
}

#[test]
fn a_wildcard_socket_knows_the_address_it_is_reached_at() {
    for (way, config) in ways() {
        // On Linux all of 127/8 is ours; the second address shows that it is the one reached and not the usual one.
        // The plain way knows only the address that the system would answer from.
        let address = if config.batch && cfg!(target_os = "linux") { "127.0.0.2" } else { "127.0.0.1" };
        let mut server = bind("0.0.0.0:0", &config);
        let reached = SocketAddr::new(address.parse().unwrap(), server.local_addr().port());
        round_trip(way, &config, &mut server, reached, bind(V4, &config));
    }
}

#[test]
fn ipv6_is_served_apart_from_ipv4() {
    for (way, config) in ways() {
        for bound in ["[::]:0", "[::1]:0"] {
            let mut server = bind(bound, &config);
            let port = server.local_addr().port();
            let reached = SocketAddr::new("::1".parse().unwrap(), port);
            // The same port is free for IPv4: the other family is not taken along.
            let _v4 = bind(&format!("0.0.0.0:{port}"), &config);
            round_trip(way, &config, &mut server, reached, bind("[::1]:0", &config));
        }
    }
}

/// A datagram to `server` at the address `reached`, and one back from there.
fn round_trip(
    way: &str,
    config: &NetConfig,
    server: &mut UdpSocket,
    reached: SocketAddr,
    mut client: UdpSocket,
) {
    let mut outbox = Outbox::default();
    outbox.push(to(reached, client.local_addr()), b"question");
    assert_eq!(send(&mut client, &outbox).sent, 1, "{way}");
    let (transport, _) = receive(server, config, 1).remove(0);
    assert_eq!(transport, to(client.local_addr(), reached), "{way}");
    assert!(server.owns(&transport));
    outbox.clear();
    outbox.push(transport, b"answer, ");
    outbox.push(transport, b"in two.");
    assert_eq!(send(server, &outbox).sent, 2, "{way}");
    let answers = receive(&mut client, config, 2);
    assert_eq!(answers[0], (to(reached, client.local_addr()), b"answer, ".to_vec()), "{way}");
    assert_eq!(answers[1].1, b"in two.", "{way}");
}

#[test]
fn runs_that_cannot_be_delivered_do_not_harm_others() {
    for (way, config) in ways() {
        let (mut from, mut into) = (bind(V4, &config), bind(V4, &config));
        let closed = bind(V4, &config).local_addr();
        let unreachable = "255.255.255.255:9".parse().unwrap(); // broadcast is not permitted to this socket
        let mut outbox = Outbox::default();
        for round in 0..10u8 {
            for remote in [closed, into.local_addr(), unreachable] {
                outbox.push(to(remote, from.local_addr()), &[round; 100]);
                outbox.push(to(remote, from.local_addr()), &[round; 50]);
            }
        }
        let outcome = send(&mut from, &outbox);
        assert_eq!((outcome.sent, outcome.dropped), (40, 20), "{way}");
        let received = receive(&mut into, &config, 20);
        let rounds: Vec<u8> = received.iter().map(|(_, bytes)| bytes[0]).collect();
        assert_eq!(rounds, (0..10).flat_map(|n| [n, n]).collect::<Vec<u8>>(), "{way}");
        let mut batch = RecvBatch::new(&config);
        assert_eq!(
            from.recv_batch(&mut batch).unwrap(),
            0,
            "{way}: what came back is no datagram and no error"
        );
    }
}

#[test]
fn runs_of_other_sockets_are_left_alone() {
    let config = NetConfig::default();
    let (mut one, mut two, mut into) = (bind(V4, &config), bind(V4, &config), bind(V4, &config));
    let mut outbox = Outbox::default();
    outbox.push(to(into.local_addr(), one.local_addr()), b"1");
    outbox.push(to(into.local_addr(), two.local_addr()), b"2");
    outbox.push(Transport { protocol: Protocol::Tcp, ..to(into.local_addr(), one.local_addr()) }, b"3");
    assert_eq!(send(&mut one, &outbox), SendOutcome { sent: 1, bytes: 1, syscalls: 1, ..Default::default() });
    assert_eq!(send(&mut two, &outbox), SendOutcome { sent: 1, bytes: 1, syscalls: 1, ..Default::default() });
    let received = receive(&mut into, &config, 2);
    let from: Vec<_> = received.iter().map(|(t, bytes)| (t.remote, bytes.clone())).collect();
    assert_eq!(from, [(one.local_addr(), b"1".to_vec()), (two.local_addr(), b"2".to_vec())]);
}

#[test]
fn what_is_too_large_or_empty_is_not_handed_on() {
    for (way, config) in ways() {
        let mut into = bind(V4, &config);
        let from = std::net::UdpSocket::bind(V4).unwrap();
        for datagram in [&[1u8; 5000][..], &[], &[2u8; 10]] {
            from.send_to(datagram, into.local_addr()).unwrap();
        }
        let mut batch = RecvBatch::new(&config);
        let deadline = Instant::now() + PATIENCE;
        let mut poller = Poller::new(&config).unwrap();
        poller.add_udp(&into, 0).unwrap();
        let mut received = Vec::new();
        while received.is_empty() {
            assert!(!poller.wait(Some(deadline)).unwrap().udp.is_empty());
            into.recv_batch(&mut batch).unwrap();
            received.extend(batch.iter_mut().map(|(_, bytes)| bytes.to_vec()));
        }
        assert_eq!(received, [vec![2; 10]], "{way}");
        assert_eq!(into.counters().received_unusable, 1, "{way}");
    }
}

#[test]
fn addresses_of_our_own_are_never_wildcards() {
    let config = NetConfig::plain();
    let mut server = bind("[::]:0", &config);
    let client = std::net::UdpSocket::bind("[::1]:0").unwrap();
    client.send_to(b"x", ("::1", server.local_addr().port())).unwrap();
    let received = receive(&mut server, &config, 1);
    assert_eq!(received[0].0.local.ip(), "::1".parse::<IpAddr>().unwrap());
}

#[test]
#[cfg(target_os = "linux")]
fn where_asked_for_datagrams_come_with_the_time_of_their_arrival() {
    let asked = NetConfig { timestamps: true, ..NetConfig::default() };
    for (config, stamped) in [(asked, true), (NetConfig::default(), false)] {
        let (mut from, mut into) = (bind(V4, &config), bind(V4, &config));
        let wall = net::clock::WallClock::read();
        let before = wall.unix(Instant::now());
        let mut outbox = Outbox::default();
        (0..3).for_each(|_| outbox.push(to(into.local_addr(), from.local_addr()), &[7; 500]));
        send(&mut from, &outbox);
        let mut batch = RecvBatch::new(&config);
        let mut poller = Poller::new(&config).unwrap();
        poller.add_udp(&into, 0).unwrap();
        poller.wait(Some(Instant::now() + PATIENCE)).unwrap();
        assert_ne!(into.recv_batch(&mut batch).unwrap(), 0);
        let after = wall.unix(Instant::now());
        for (_, at, datagram) in batch.iter_arrived() {
            assert_eq!((datagram.len(), at.is_some()), (500, stamped));
            // The wall clock may have been set in between, by a little.
            let slack = Duration::from_millis(5);
            assert!(
                at.is_none_or(|at| at + slack >= before && at <= after + slack),
                "{before:?} {at:?} {after:?}"
            );
        }
    }
}
