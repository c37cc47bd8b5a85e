//! Which of our addresses a datagram came to, and which it leaves from.

use std::net::{IpAddr, SocketAddr, SocketAddrV6, UdpSocket};

use model::datagram::Transport;

/// Own addresses remembered by remote address, for a wildcard socket whose datagrams do not say. A development machine
/// has a handful of peers; beyond this many the memory begins anew.
const ROUTES_MAX: usize = 256;

/// Our side of a socket's transports.
#[derive(Debug)]
pub(crate) enum LocalAddress {
    /// Bound to one address.
    Fixed(SocketAddr),
    /// A wildcard, and each datagram says where it came to.
    Told { wildcard: SocketAddr },
    /// A wildcard, and nothing is said: the address that the system would answer from.
    Routed { wildcard: SocketAddr, by_remote: Vec<(IpAddr, IpAddr)> },
}

impl LocalAddress {
    pub(crate) fn new(bound: SocketAddr, told: bool) -> Self {
        match (bound.ip().is_unspecified(), told) {
            (false, _) => Self::Fixed(bound),
            (true, true) => Self::Told { wildcard: bound },
            (true, false) => Self::Routed { wildcard: bound, by_remote: Vec::new() },
        }
    }

    /// Our address of a datagram that came from there. `told` is what the datagram says: address and interface.
    pub(crate) fn of(&mut self, remote: SocketAddr, told: Option<(IpAddr, u32)>) -> Option<SocketAddr> {
        match self {
            Self::Fixed(address) => Some(*address),
            Self::Told { wildcard } => {
                let (ip, interface) = told?;
                Some(match ip {
                    IpAddr::V4(_) => SocketAddr::new(ip, wildcard.port()),
                    IpAddr::V6(v6) => canonical(SocketAddrV6::new(v6, wildcard.port(), 0, interface).into()),
                })
            }
            Self::Routed { wildcard, by_remote } => {
                let known = by_remote.iter().find(|(to, _)| *to == remote.ip()).map(|(_, ip)| *ip);
                let ip = match known {
                    Some(ip) => ip,
                    None => {
                        let ip = source_by_route(remote)?;
                        if by_remote.len() == ROUTES_MAX {
                            by_remote.clear();
                        }
                        by_remote.push((remote.ip(), ip));
                        ip
                    }
                };
                Some(SocketAddr::new(ip, wildcard.port()))
            }
        }
    }

    /// Whether a socket bound so sends from that address.
    pub(crate) fn owns(&self, local: SocketAddr) -> bool {
        match self {
            Self::Fixed(address) => *address == local,
            Self::Told { wildcard } | Self::Routed { wildcard, .. } => {
                wildcard.port() == local.port() && wildcard.is_ipv4() == local.is_ipv4()
            }
        }
    }

    /// The address to be named to the kernel with a datagram, if it must be.
    pub(crate) fn source(&self, transport: &Transport) -> Option<IpAddr> {
        matches!(self, Self::Told { .. }).then(|| transport.local.ip())
    }
}

/// The address from which the system would send there. Sends nothing.
fn source_by_route(remote: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if remote.is_ipv4() { [0u8; 4].into() } else { [0u16; 8].into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(remote).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// One form per address: the interface is part of link-local ones only, the flow label of none.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(v6) => {
            let scope_id = if v6.ip().is_unicast_link_local() { v6.scope_id() } else { 0 };
            SocketAddrV6::new(*v6.ip(), v6.port(), 0, scope_id).into()
        }
    }
}
