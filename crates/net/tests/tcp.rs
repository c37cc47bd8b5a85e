//! Framed TCP over loopback, with real sockets.
#![expect(clippy::disallowed_types, reason = "the clients of these tests")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use model::datagram::{Outbox, Protocol, Transport};
use net::{NetConfig, Poller, SendOutcome, TcpPort, clock};

/// A test that waits this long has failed; none waits when all is well.
const PATIENCE: Duration = Duration::from_secs(10);

/// A port, waited for as a worker does, under a time that tests move.
struct Server {
    port: TcpPort,
    poller: Poller,
    now: Instant,
    frames: Vec<(Transport, Vec<u8>)>,
}

impl Server {
    fn new(address: &str, config: &NetConfig) -> Self {
        let port = TcpPort::bind(address.parse().unwrap(), config).unwrap();
        let mut poller = Poller::new(config).unwrap();
        poller.add_tcp(&port).unwrap();
        Self { port, poller, now: clock::now(), frames: Vec::new() }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port.local_addr().port())).unwrap()
    }

    /// Lets it work until the condition holds.
    fn until(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let deadline = clock::now() + PATIENCE;
        while !condition(self) {
            assert!(clock::now() < deadline, "never came: {what}");
            if self.poller.wait(Some(deadline)).unwrap().tcp {
                self.port.receive(self.now, |t, frame| self.frames.push((t, frame.to_vec()))).unwrap();
            }
        }
    }

    fn until_frames(&mut self, count: usize) {
        self.until("frames", |server| server.frames.len() >= count);
    }

    fn send(&mut self, transport: Transport, frames: &[&[u8]]) -> SendOutcome {
        let mut outbox = Outbox::default();
        frames.iter().for_each(|frame| outbox.push(transport, frame));
        self.port.send(self.now, outbox.data(), outbox.runs())
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        assert!(self.port.next_deadline().is_some_and(|deadline| deadline <= self.now));
        self.port.handle_timeout(self.now);
    }

    fn accepted(&mut self, count: usize) {
        self.until("connections", |server| server.port.counters().accepted as usize >= count);
    }
}

fn ways() -> [NetConfig; 2] {
    [NetConfig::default(), NetConfig::plain()]
}

fn framed(frame: &[u8]) -> Vec<u8> {
    [&(frame.len() as u16).to_be_bytes(), frame].concat()
}

fn read_frame(client: &mut TcpStream) -> Vec<u8> {
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut length = [0; 2];
    client.read_exact(&mut length).unwrap();
    let mut frame = vec![0; usize::from(u16::from_be_bytes(length))];
    client.read_exact(&mut frame).unwrap();
    frame
}

fn is_closed(client: &mut TcpStream) -> bool {
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    match client.read(&mut [0; 1]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn frames_go_both_ways_and_name_their_transport() {
    for config in ways() {
        let mut server = Server::new("0.0.0.0:0", &config);
        let mut client = server.connect();
        client.write_all(&[framed(b"one"), framed(b""), framed(&[7; 2048])].concat()).unwrap();
        server.until_frames(2);
        let local = SocketAddr::from(([127, 0, 0, 1], server.port.local_addr().port()));
        let transport = Transport { protocol: Protocol::Tcp, local, remote: client.local_addr().unwrap() };
        assert_eq!(server.frames, [(transport, b"one".to_vec()), (transport, vec![7; 2048])]);
        let outcome = server.send(transport, &[&[1; 1200], &[2; 1200], &[3; 5]]);
        assert_eq!((outcome.sent, outcome.dropped, outcome.bytes, outcome.syscalls), (3, 0, 2405, 1));
        for frame in [&[1; 1200][..], &[2; 1200], &[3; 5]] {
            assert_eq!(read_frame(&mut client), frame);
        }
        server.port.close(&transport);
        assert!(is_closed(&mut client));
        assert_eq!(server.port.poll_closed(), None, "who closes need not be told");
    }
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_frames() {
    let bytes = [framed(b"first"), framed(&[9; 40]), framed(b""), framed(b"x")].concat();
    for config in ways() {
        let mut server = Server::new("127.0.0.1:0", &config);
        for cut in 1..bytes.len() {
            let mut client = server.connect();
            client.set_nodelay(true).unwrap();
            server.frames.clear();
            let accepted = server.port.counters().accepted as usize;
            client.write_all(&bytes[..cut]).unwrap();
            // Taken in before the second half exists.
            let whole = [7, 49, 51, 54].iter().filter(|&&end| cut >= end && end != 51).count();
            server.accepted(accepted + 1);
            server.until_frames(whole);
            client.write_all(&bytes[cut..]).unwrap();
            server.until_frames(3);
            let frames: Vec<_> = server.frames.drain(..).map(|(_, frame)| frame).collect();
            assert_eq!(frames, [b"first".to_vec(), vec![9; 40], b"x".to_vec()], "cut at {cut}");
        }
    }
}

#[test]
fn a_slow_reader_is_bounded_and_does_not_harm_others() {
    for config in ways() {
        let mut server = Server::new("127.0.0.1:0", &config);
        let (mut slow, mut quick) = (server.connect(), server.connect());
        slow.write_all(&framed(b"s")).unwrap();
        server.until_frames(1);
        quick.write_all(&framed(b"q")).unwrap();
        server.until_frames(2);
        let (to_slow, to_quick) = (server.frames[0].0, server.frames[1].0);
        // 20 MB for somebody who reads nothing: far more than the queue and both kernel buffers.
        let mut outcome = SendOutcome::default();
        let frames: Vec<Vec<u8>> = (0..40u8).map(|n| vec![n; 1000]).collect();
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        for _ in 0..500 {
            outcome += server.send(to_slow, &frames);
        }
        assert!(outcome.sent > 100 && outcome.dropped > 10_000, "{outcome:?}");
        assert_eq!(server.port.counters().dropped, outcome.dropped);
        assert_eq!(server.send(to_quick, &[b"still here"]).sent, 1);
        assert_eq!(read_frame(&mut quick), b"still here");
        // What was not dropped comes whole, and the last of it when the reader has caught up.
        let (waker, count) = (server.poller.waker(), outcome.sent);
        let (done, all_came) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            done.send((0..count).all(|_| read_frame(&mut slow).len() == 1000)).unwrap();
            waker.wake();
        });
        server.until("the end of the queue", |_| all_came.try_recv().unwrap_or(false));
        reader.join().unwrap();
    }
}

#[test]
fn a_reader_that_takes_nothing_is_given_up() {
    let mut server = Server::new("127.0.0.1:0", &NetConfig::default());
    let mut client = server.connect();
    client.write_all(&framed(b"x")).unwrap();
    server.until_frames(1);
    let transport = server.frames[0].0;
    let frame = [0u8; 2000];
    while server.send(transport, &[&frame[..]; 20]).dropped == 0 {}
    server.pass(Duration::from_secs(9));
    assert_eq!(server.port.connections(), 1);
    server.pass(Duration::from_secs(2));
    assert_eq!(server.port.poll_closed(), Some(transport));
    assert_eq!((server.port.connections(), server.port.counters().timed_out), (0, 1));
    assert_eq!(server.send(transport, &[&frame]).dropped, 1);
}

#[test]
fn a_connection_that_nobody_answers_is_given_up() {
    for config in ways() {
        let mut server = Server::new("127.0.0.1:0", &config);
        let (mut silent, mut known, mut babbling) = (server.connect(), server.connect(), server.connect());
        known.write_all(&framed(b"known")).unwrap();
        server.until_frames(1);
        let transport = server.frames[0].0;
        babbling.write_all(&framed(b"well framed, and nobody's")).unwrap();
        server.until_frames(2);
        server.accepted(3);
        server.send(transport, &[b"answer"]);
        server.pass(Duration::from_secs(9));
        assert_eq!(server.port.connections(), 3);
        server.pass(Duration::from_secs(2));
        assert_eq!(server.port.connections(), 1);
        assert!(is_closed(&mut silent) && is_closed(&mut babbling));
        server.pass(Duration::from_secs(30));
        assert_eq!(server.port.connections(), 1);
        server.pass(Duration::from_secs(5));
        assert_eq!(server.port.connections(), 0, "consent would have expired long ago");
        let closed: Vec<_> = std::iter::from_fn(|| server.port.poll_closed()).collect();
        assert_eq!((closed.len(), closed[2]), (3, transport));
        assert_eq!(server.port.next_deadline(), None);
    }
}

#[test]
fn what_is_no_frame_closes_its_own_connection_only() {
    for config in ways() {
        let mut server = Server::new("127.0.0.1:0", &config);
        let (mut wrong, mut right) = (server.connect(), server.connect());
        wrong.write_all(b"GET / HTTP/1.1\r\nHost: me\r\n\r\n").unwrap();
        right.write_all(&framed(b"right")).unwrap();
        server.until("the end of one", |server| {
            !server.frames.is_empty() && server.port.counters().not_framed == 1
        });
        assert!(is_closed(&mut wrong));
        assert_eq!(server.frames[0].1, b"right");
        assert_eq!(server.port.connections(), 1);
        drop(right);
        server.until("the end of the other", |server| server.port.connections() == 0);
    }
}

#[test]
fn when_there_are_too_many_the_oldest_unknown_one_goes() {
    let mut server = Server::new("127.0.0.1:0", &NetConfig::default());
    let mut known = server.connect();
    known.write_all(&framed(b"known")).unwrap();
    server.until_frames(1);
    let transport = server.frames[0].0;
    server.send(transport, &[b"answer"]);
    assert_eq!(read_frame(&mut known), b"answer");
    let mut flood = Vec::new();
    for count in 0..1030usize {
        server.now += Duration::from_millis(1);
        flood.push(server.connect());
        server.accepted(count + 2);
    }
    assert_eq!(server.port.connections(), 1024);
    assert_eq!(server.port.counters().too_many, 7);
    assert!(flood[..7].iter_mut().all(is_closed));
    assert_eq!(server.send(transport, &[b"still"]).sent, 1);
    assert_eq!(read_frame(&mut known), b"still");
}
