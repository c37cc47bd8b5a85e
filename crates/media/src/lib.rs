//! The media role: forwarding units on their own threads, over the network.
//!
//! Each unit has one thread, one UDP port (and the same TCP port), and nothing shared with another. Offers and commands
//! reach it over the bus; facts go back the same way. What a room needs on several units goes from thread to thread.

pub mod links;
mod probe;
mod stats;
mod unit_thread;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use bus::{Address, Bus};
use model::UnitId;
use model::datagram::Protocol;
use model::unit::{Offer, UnitCommand};
use net::{NetConfig, TcpPort, UdpSocket, Waker};
use tokio::sync::mpsc;
use tokio::task::JoinHandle as Task;
use tracing::{info, warn};

use links::{Links, Port};
pub use stats::{DELAY_BUCKETS, Delays, UnitStats};
use unit_thread::{Input, UnitThread};

/// Inputs that wait for a unit; the bus waits while they do.
const INPUTS_MAX: usize = 1024;

/// What the role needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// How many units; one per core is the most that makes sense.
    pub units: u16,
    /// UDP and TCP port of the first unit; the next ones follow. 0: the system picks one for each.
    pub media_port: u16,
    /// Addresses to bind; wildcards of both families if empty.
    pub bind: Vec<IpAddr>,
    /// Addresses that clients are told, best first.
    pub advertise: Vec<IpAddr>,
    /// Whether clients whose network lets no UDP through may use TCP.
    pub tcp: bool,
    /// Peers of one unit at most.
    pub peers_max: usize,
    /// How sockets are used.
    pub net: NetConfig,
}

impl Default for Config {
    /// One unit on port 43210, for 2,000 peers, that advertises nothing: the caller knows the addresses.
    fn default() -> Self {
        Self {
            units: 1,
            media_port: 43_210,
            bind: Vec::new(),
            advertise: Vec::new(),
            tcp: true,
            peers_max: 2_000,
            net: NetConfig::default(),
        }
    }
}

impl Config {
    /// The ports of all units, of which `port` is one.
    fn ports(&self, port: u16) -> RangeInclusive<u16> {
        match self.media_port {
            0 => port..=port,
            first => first..=first.saturating_add(self.units.saturating_sub(1)),
        }
    }
}

/// Why the role cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A media port is taken or forbidden.
    #[error("cannot open the media port {address}: {source}; {}", way_out(ports))]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
        /// Those of all units; of one unit only, or of ports that the system picks, just the one.
        ports: RangeInclusive<u16>,
    },
    /// There is no address that a client could be told.
    #[error("no address to advertise for media; name one with --advertise-ip")]
    NoAddress,
    /// Something that every system grants was refused.
    #[error("cannot start a media unit: {0}")]
    System(#[from] io::Error),
    /// No DTLS certificate.
    #[error(transparent)]
    Identity(#[from] rtc::dtls::IdentityError),
}

/// What to do about a port that cannot be had.
fn way_out(ports: &RangeInclusive<u16>) -> String {
    if ports.start() == ports.end() {
        return "another program may use it, choose one with --media-port".to_owned();
    }
    format!(
        "each unit has a port, {} to {}; another program may use this one: choose others with --media-port, or \
         fewer units with --units",
        ports.start(),
        ports.end()
    )
}

/// The running role.
#[derive(Debug)]
pub struct Media {
    units: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    unit: UnitId,
    port: u16,
    inputs: mpsc::Sender<Input>,
    waker: Waker,
    stats: Arc<Mutex<UnitStats>>,
    thread: Option<JoinHandle<()>>,
    pumps: [Task<()>; 2],
}

impl Media {
    /// Opens the ports and starts the units. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(config: &Config, bus: &Bus) -> Result<Self, StartError> {
        let cores = net::allowed_cores();
        // Under a quota the cores are others' as well, and programs that all pin to the first ones meet there.
        let quota = thread::available_parallelism().is_ok_and(|usable| usable.get() < cores.len());
        let pins = config.units > 1 && cores.len() > 1 && !quota;
        let prepared: Vec<Prepared> = (0..config.units.max(1))
            .map(|number| prepare_unit(config, bus, number))
            .collect::<Result<_, _>>()?;
        let ports: Vec<Port> = prepared.iter().map(|p| p.port.clone()).collect();
        let mut units = Vec::new();
        for (number, prepared) in (0..).zip(prepared) {
            // The runtime's threads go wherever there is time left.
            let core = cores.get(usize::from(number) % cores.len().max(1)).copied();
            let core = core.filter(|_| pins);
            units.push(prepared.start(bus, number, Links::new(ports.clone()), core)?);
        }
        Ok(Self { units })
    }

    /// The ports of the units.
    pub fn ports(&self) -> Vec<u16> {
        self.units.iter().map(|u| u.port).collect()
    }

    /// What the units are doing, at most a second old.
    pub fn stats(&self) -> Vec<UnitStats> {
        self.units.iter().map(|u| *u.stats.lock().unwrap_or_else(PoisonError::into_inner)).collect()
    }

    /// Makes the unit with the most peers panic, which must cost nobody but those peers anything. Tests ask for it; release
    /// builds cannot do it.
    #[cfg(debug_assertions)]
    pub fn fail_busiest_unit(&self) {
        let peers = |unit: &&Running| unit.stats.lock().unwrap_or_else(PoisonError::into_inner).peers;
        if let Some(unit) = self.units.iter().max_by_key(peers) {
            let _ = unit.inputs.try_send(Input::Fail);
            unit.waker.wake();
        }
    }

    /// Ends the threads. Clients are told nothing; they find out, or have been told by the rooms.
    pub fn stop(mut self) {
        for unit in &mut self.units {
            unit.pumps.iter().for_each(Task::abort);
            // The queue may be full of what nobody will need any more; the sender's end is then dropped, which ends it.
            let _ = unit.inputs.try_send(Input::Stop);
            unit.waker.wake();
            if let Some(thread) = unit.thread.take()
                && thread.join().is_err()
            {
                warn!(unit = %unit.unit, "a media unit ended by a panic");
            }
        }
    }
}

/// A unit whose ports are open, and which does not run yet.
struct Prepared {
    unit: UnitId,
    media_port: u16,
    inputs: mpsc::Sender<Input>,
    waker: Waker,
    stats: Arc<Mutex<UnitStats>>,
    /// For what other units say.
    port: Port,
    thread: UnitThread,
}

fn prepare_unit(config: &Config, bus: &Bus, number: u16) -> Result<Prepared, StartError> {
    let unit = UnitId(u64::from(number));
    let sockets = Sockets::open(config, number)?;
    let media_port = sockets.port;
    let (inputs, receiver) = mpsc::channel(INPUTS_MAX);
    let stats = Arc::new(Mutex::new(UnitStats::new(unit)));
    let (thread, waker, port) = UnitThread::new(config, unit, sockets, bus.clone(), receiver, stats.clone())?;
    Ok(Prepared { unit, media_port, inputs, waker, stats, port, thread })
}

impl Prepared {
    fn start(self, bus: &Bus, number: u16, links: Links, core: Option<usize>) -> Result<Running, StartError> {
        let Self { unit, media_port: port, inputs, waker, stats, thread, .. } = self;
        let pumps = [
            pump_offers(bus, unit, inputs.clone(), waker.clone()),
            pump_commands(bus, unit, inputs.clone(), waker.clone()),
        ];
        let thread = net::spawn_pinned(&format!("media-{number}"), core, move || thread.run(links))?;
        info!(%unit, port, "media unit is up");
        Ok(Running { unit, port, inputs, waker, stats, thread: Some(thread), pumps })
    }
}

fn pump_offers(bus: &Bus, unit: UnitId, inputs: mpsc::Sender<Input>, waker: Waker) -> Task<()> {
    let mut offers = bus.serve::<Offer>(Address::Unit(unit));
    tokio::spawn(async move {
        while let Some(incoming) = offers.next().await {
            let (offer, reply) = incoming.into_parts();
            if inputs.send(Input::Offer(Box::new(offer), Box::new(reply))).await.is_err() {
                break;
            }
            waker.wake();
        }
    })
}

fn pump_commands(bus: &Bus, unit: UnitId, inputs: mpsc::Sender<Input>, waker: Waker) -> Task<()> {
    let mut commands = bus.consume::<UnitCommand>(Address::Unit(unit));
    tokio::spawn(async move {
        while let Some(command) = commands.next().await {
            if inputs.send(Input::Command(command)).await.is_err() {
                break;
            }
            waker.wake();
        }
    })
}

/// The sockets of one unit, and what clients are told of them.
#[derive(Debug)]
struct Sockets {
    udp: Vec<UdpSocket>,
    tcp: Option<TcpPort>,
    port: u16,
    candidates: Vec<(Protocol, SocketAddr)>,
}

impl Sockets {
    fn open(config: &Config, number: u16) -> Result<Self, StartError> {
        let wildcards = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        let addresses = if config.bind.is_empty() { &wildcards[..] } else { &config.bind };
        let mut port = if config.media_port == 0 { 0 } else { config.media_port.saturating_add(number) };
        let mut udp: Vec<UdpSocket> = Vec::new();
        for ip in addresses {
            let address = SocketAddr::new(*ip, port);
            match UdpSocket::bind(address, &config.net) {
                Ok(socket) => {
                    port = socket.local_addr().port();
                    udp.push(socket);
                }
                // A machine without IPv6 is no reason not to start; another program on the port is.
                Err(error)
                    if config.bind.is_empty()
                        && !udp.is_empty()
                        && error.kind() != io::ErrorKind::AddrInUse =>
                {
                    info!(%error, "no IPv6 for media");
                }
                Err(source) => return Err(StartError::Bind { address, source, ports: config.ports(port) }),
            }
        }
        let tcp = config.tcp.then(|| open_tcp(addresses, port, config)).flatten();
        let serves = |ip: &IpAddr| udp.iter().any(|s| s.local_addr().is_ipv4() == ip.is_ipv4());
        let reachable =
            || config.advertise.iter().filter(|ip| serves(ip)).map(|ip| SocketAddr::new(*ip, port));
        let mut candidates: Vec<_> = reachable().map(|address| (Protocol::Udp, address)).collect();
        if candidates.is_empty() {
            return Err(StartError::NoAddress);
        }
        if let Some(tcp) = &tcp {
            let family = tcp.local_addr().is_ipv4();
            candidates.extend(reachable().filter(|a| a.is_ipv4() == family).map(|a| (Protocol::Tcp, a)));
        }
        Ok(Self { udp, tcp, port, candidates })
    }
}

/// TCP is the way out of networks without UDP; a taken port is a warning, for everybody else needs none.
fn open_tcp(addresses: &[IpAddr], port: u16, config: &Config) -> Option<TcpPort> {
    let ip = addresses.first()?;
    match TcpPort::bind(SocketAddr::new(*ip, port), &config.net) {
        Ok(tcp) => Some(tcp),
        Err(error) => {
            warn!(port, %error, "no TCP for media on this port; clients without UDP will not connect");
            None
        }
    }
}
