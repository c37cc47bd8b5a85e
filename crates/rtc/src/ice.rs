//! ICE-lite (RFC 8445 §2.5) around the `is` agent, with what a server on a shared port must add: an address is trusted
//! only after the STUN integrity check, media goes to the address of the newest authenticated USE-CANDIDATE, and what
//! an authenticated client can make us remember is bounded.

use std::time::{Duration, Instant};

use is::stun::StunPacket;
use is::{Candidate, IceAgent, IceCreds};
use model::datagram::{Outbox, Protocol, Transport};

pub use is::stun::StunMessage;

/// Transports that one client may have proven between two ICE restarts before older ones are forgotten. A laptop with
/// Wi-Fi, Ethernet, a VPN and both address families has about eight.
const TRANSPORTS_MAX: usize = 32;

/// Without an authenticated packet for so long, the path counts as lost. Browsers send a consent check at least every
/// five seconds (RFC 7675 §5.1), so this is two missed ones.
pub const PATH_TIMEOUT: Duration = Duration::from_secs(10);

/// User name fragment and password of one side (RFC 8839 §5.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// 4 to 256 characters.
    pub ufrag: String,
    /// 22 to 256 characters.
    pub pwd: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A password never reaches a log.
        f.debug_struct("Credentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

impl Credentials {
    fn to_is(&self) -> IceCreds {
        IceCreds { ufrag: self.ufrag.clone(), pass: self.pwd.clone() }
    }
}

/// What became of a STUN message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stun {
    /// Not for this client, or forged.
    Refused,
    /// Authenticated, from a transport that is known.
    Accepted,
    /// Authenticated, from a transport not seen before: packets from there are this client's from now on.
    NewTransport,
}

/// One client's ICE.
#[derive(Debug)]
pub struct Ice {
    agent: IceAgent,
    local: Credentials,
    remote: Credentials,
    local_candidates: Vec<(Protocol, std::net::SocketAddr)>,
    /// Proven transports, oldest first.
    transports: Vec<Transport>,
    selected: Option<Transport>,
    last_authenticated: Option<Instant>,
}

impl Ice {
    /// A new ICE session. `local` comes from a cryptographic source; `local_candidates` are all addresses that the
    /// answer names.
    pub fn new(
        local: Credentials,
        remote: Credentials,
        local_candidates: Vec<(Protocol, std::net::SocketAddr)>,
    ) -> Self {
        let agent = new_agent(&local, &remote, &local_candidates);
        Self {
            agent,
            local,
            remote,
            local_candidates,
            transports: Vec::new(),
            selected: None,
            last_authenticated: None,
        }
    }

    /// Our side's credentials.
    pub fn local(&self) -> &Credentials {
        &self.local
    }

    /// The client's credentials.
    pub fn remote(&self) -> &Credentials {
        &self.remote
    }

    /// New credentials on both sides (RFC 8445 §9). Media goes on over the selected transport until the client proves
    /// another.
    pub fn restart(&mut self, local: Credentials, remote: Credentials) {
        self.agent = new_agent(&local, &remote, &self.local_candidates);
        self.local = local;
        self.remote = remote;
    }

    /// The client begins a new transport: it has to choose one again. What it has proven stays its own.
    pub fn renew(&mut self) {
        self.agent = new_agent(&self.local, &self.remote, &self.local_candidates);
        self.selected = None;
        self.last_authenticated = None;
    }

    /// Where media goes: the transport of the newest authenticated USE-CANDIDATE.
    pub fn selected(&self) -> Option<Transport> {
        self.selected
    }

    /// Transports that the client has proven.
    pub fn transports(&self) -> &[Transport] {
        &self.transports
    }

    /// A media or DTLS packet of this client was authenticated: the path works.
    #[inline]
    pub fn touch(&mut self, now: Instant) {
        self.last_authenticated = Some(now);
    }

    /// When the path counts as lost, unless something authenticated comes before. `None` before the first.
    pub fn path_deadline(&self) -> Option<Instant> {
        self.last_authenticated.map(|at| at + PATH_TIMEOUT)
    }

    /// Takes a STUN message and writes the answer. `forgotten` is given a transport that was pushed out by a new one.
    pub fn handle_stun(
        &mut self,
        now: Instant,
        transport: Transport,
        message: StunMessage<'_>,
        outbox: &mut Outbox,
        mut forgotten: impl FnMut(Transport),
    ) -> Stun {
        if !message.is_binding_request() || !self.agent.accepts_message(&message) {
            return Stun::Refused;
        }
        let known = self.transports.contains(&transport);
        if !known && self.transports.len() >= TRANSPORTS_MAX {
            // The agent keeps a candidate for each address it ever saw; a new one keeps none.
            self.agent = new_agent(&self.local, &self.remote, &self.local_candidates);
            if let Some(old) = self.transports.iter().position(|t| Some(*t) != self.selected) {
                forgotten(self.transports.remove(old));
            }
        }
        let use_candidate = message.use_candidate();
        let Some(destination) = self.candidate_for(transport) else { return Stun::Refused };
        let packet = StunPacket {
            proto: to_is_protocol(transport.protocol),
            source: transport.remote,
            destination,
            message,
        };
        self.agent.handle_timeout(now);
        self.agent.handle_packet(now, packet);
        while self.agent.poll_event().is_some() {}
        let mut answered = false;
        while let Some(transmit) = self.agent.poll_transmit() {
            if transmit.source == destination && transmit.destination == transport.remote {
                outbox.push(transport, &transmit.contents);
                answered = true;
            }
        }
        if !answered {
            return Stun::Refused;
        }
        self.last_authenticated = Some(now);
        if use_candidate {
            self.selected = Some(transport);
        }
        if known {
            return Stun::Accepted;
        }
        self.transports.push(transport);
        Stun::NewTransport
    }
}

impl Ice {
    /// The candidate that the client means by our address: that address, or, where a public one is mapped onto it
    /// outside of this machine, the first of its kind.
    fn candidate_for(&self, transport: Transport) -> Option<std::net::SocketAddr> {
        let same_kind = |(protocol, address): &&(Protocol, std::net::SocketAddr)| {
            *protocol == transport.protocol && address.is_ipv4() == transport.local.is_ipv4()
        };
        let kind = || self.local_candidates.iter().filter(same_kind).map(|(_, address)| *address);
        kind().find(|a| *a == transport.local).or_else(|| kind().next())
    }
}

fn new_agent(
    local: &Credentials,
    remote: &Credentials,
    candidates: &[(Protocol, std::net::SocketAddr)],
) -> IceAgent {
    let mut agent = IceAgent::new(local.to_is());
    agent.set_ice_lite(true);
    agent.set_controlling(false);
    agent.set_max_candidate_pairs(TRANSPORTS_MAX);
    for (protocol, address) in candidates {
        if let Ok(candidate) = Candidate::host(*address, to_is_protocol(*protocol)) {
            agent.add_local_candidate(candidate);
        }
    }
    agent.set_remote_credentials(remote.to_is());
    agent
}

fn to_is_protocol(protocol: Protocol) -> is::Protocol {
    match protocol {
        Protocol::Udp => is::Protocol::Udp,
        Protocol::Tcp => is::Protocol::Tcp,
    }
}

/// The fragment of our own user name in a binding request, by which a unit finds the client of a transport that it
/// does not know. Nothing is authenticated by this.
pub fn local_ufrag<'a>(message: &'a StunMessage<'_>) -> Option<&'a str> {
    if message.is_binding_request() { message.split_username().map(|(local, _)| local) } else { None }
}
