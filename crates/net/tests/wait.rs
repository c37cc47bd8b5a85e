//! Waiting: wakers and deadlines.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use net::{NetConfig, Poller, Ready, TcpPort, UdpSocket, clock};

/// A test that waits this long has failed; none waits when all is well.
fn patience() -> Option<Instant> {
    Some(clock::now() + Duration::from_secs(10))
}

fn ways() -> [NetConfig; 2] {
    [NetConfig::default(), NetConfig::plain()]
}

#[test]
fn a_wake_ends_a_wait_and_many_are_one() {
    for config in ways() {
        let mut poller = Poller::new(&config).unwrap();
        let waker = poller.waker();
        let woken = Ready { woken: true, ..Ready::default() };
        waker.wake();
        waker.clone().wake();
        assert_eq!(*poller.wait(patience()).unwrap(), woken);
        assert_eq!(*poller.wait(Some(clock::now())).unwrap(), Ready::default(), "it is acknowledged");
        waker.wake();
        assert_eq!(*poller.wait(patience()).unwrap(), woken, "and works again");
    }
}

#[test]
fn no_command_is_slept_over() {
    for config in ways() {
        let mut poller = Poller::new(&config).unwrap();
        let (commands, inbox) = mpsc::channel();
        let waker = poller.waker();
        let sender = std::thread::spawn(move || {
            for n in 0..20_000 {
                commands.send(n).unwrap();
                waker.wake();
            }
        });
        let mut next = 0;
        while next < 20_000 {
            assert!(poller.wait(patience()).unwrap().woken);
            for n in inbox.try_iter() {
                assert_eq!(n, next);
                next += 1;
            }
        }
        sender.join().unwrap();
    }
}

#[test]
fn a_wait_is_never_shorter_than_its_deadline() {
    for config in ways() {
        let mut poller = Poller::new(&config).unwrap();
        for micros in [0, 10, 700, 3_000] {
            let deadline = clock::now() + Duration::from_micros(micros);
            assert_eq!(*poller.wait(Some(deadline)).unwrap(), Ready::default());
            assert!(clock::now() >= deadline);
        }
    }
}

#[test]
fn sockets_are_told_apart_and_forgotten() {
    for config in ways() {
        let bind = || UdpSocket::bind("127.0.0.1:0".parse().unwrap(), &config).unwrap();
        let (one, two, mut from) = (bind(), bind(), bind());
        let mut poller = Poller::new(&config).unwrap();
        poller.add_udp(&one, 1).unwrap();
        poller.add_udp(&two, 2).unwrap();
        let mut outbox = model::datagram::Outbox::default();
        for socket in [&one, &two] {
            let transport = model::datagram::Transport {
                protocol: model::datagram::Protocol::Udp,
                local: from.local_addr(),
                remote: socket.local_addr(),
            };
            outbox.push(transport, b"hello");
        }
        from.send(outbox.data(), outbox.runs());
        let mut udp = poller.wait(patience()).unwrap().udp.clone();
        udp.sort_unstable();
        assert_eq!(udp, [1, 2]);
        poller.remove_udp(&one).unwrap();
        assert_eq!(poller.wait(patience()).unwrap().udp, [2], "what was not taken in is reported again");
        drop(two);
        assert_eq!(*poller.wait(Some(clock::now())).unwrap(), Ready::default());
    }
}

#[test]
fn a_tcp_port_is_waited_for_in_the_same_call() {
    for config in ways() {
        let port = TcpPort::bind("127.0.0.1:0".parse().unwrap(), &config).unwrap();
        let mut poller = Poller::new(&config).unwrap();
        poller.add_tcp(&port).unwrap();
        let _client = connect(&port);
        assert!(poller.wait(patience()).unwrap().tcp);
    }
}

#[expect(clippy::disallowed_types, reason = "the client of a test")]
fn connect(port: &TcpPort) -> std::net::TcpStream {
    std::net::TcpStream::connect(port.local_addr()).unwrap()
}
