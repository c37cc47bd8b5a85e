//! The addresses of this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use gateway::{BaseUrl, Scheme};

use crate::config::Config;

/// The addresses of all interfaces, those first that others most likely reach: IPv4 of a local network, other IPv4, IPv6.
/// Loopback and link-local addresses are left out: the latter need a zone, which no URL and no candidate has.
pub(crate) fn of_interfaces() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the addresses of this machine cannot be read");
        Vec::new()
    });
    let mut addresses: Vec<IpAddr> = interfaces
        .iter()
        .filter(|i| i.is_oper_up())
        .map(if_addrs::Interface::ip)
        .filter(is_reachable)
        .collect();
    addresses.sort_by_key(rank);
    addresses.dedup();
    addresses
}

fn is_reachable(address: &IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !address.is_loopback() && !address.is_unspecified() && !link_local
}

fn rank(address: &IpAddr) -> (u8, IpAddr) {
    let class = match address {
        // Containers' bridges are mostly there; an address of a real network is the better guess.
        IpAddr::V4(v4) if v4.octets()[0] == 172 && v4.is_private() => 1,
        IpAddr::V4(v4) if v4.is_private() => 0,
        IpAddr::V4(_) => 2,
        IpAddr::V6(_) => 3,
    };
    (class, *address)
}

/// What clients are told for media. As configured; else everything that this machine has, and loopback when plain HTTP
/// is for this machine only: the browser is then here, and may have no other network.
pub(crate) fn to_advertise(config: &Config, interfaces: &[IpAddr]) -> Vec<IpAddr> {
    if !config.advertise.is_empty() {
        return config.advertise.clone();
    }
    let mut addresses = interfaces.to_vec();
    let local = config.http.is_some_and(|http| http.ip().is_loopback());
    if local || addresses.is_empty() {
        addresses.push(Ipv4Addr::LOCALHOST.into());
    }
    addresses
}

/// Where the gateway is reached without a proxy, best first. `listening` are the addresses that were really opened.
pub(crate) fn base_urls(listening: &[(Scheme, SocketAddr)], interfaces: &[IpAddr]) -> Vec<BaseUrl> {
    let mut urls = Vec::new();
    for (scheme, address) in listening {
        for host in hosts(address.ip(), interfaces) {
            let url = BaseUrl::new(*scheme, &format!("{host}:{}", address.port()));
            urls.extend(url.ok().filter(|url| !urls.contains(url)));
        }
    }
    urls
}

fn hosts(bound: IpAddr, interfaces: &[IpAddr]) -> Vec<String> {
    let loopback =
        ["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string(), in_url(Ipv6Addr::LOCALHOST.into())];
    if bound.is_loopback() {
        return loopback.into();
    }
    if !bound.is_unspecified() {
        return vec![in_url(bound)];
    }
    let reached = interfaces.iter().filter(|a| bound.is_ipv6() || a.is_ipv4());
    reached.map(|a| in_url(*a)).chain(host_name()).chain(loopback).collect()
}

fn in_url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// This machine's name, if it has one.
pub(crate) fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("HOSTNAME"));
    name.ok().map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty() && name != "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn likely_addresses_come_first() {
        let mut addresses = ["2001:db8::1", "172.17.0.1", "203.0.113.1", "192.168.1.5"].map(ip);
        addresses.sort_by_key(rank);
        assert_eq!(addresses, ["192.168.1.5", "172.17.0.1", "203.0.113.1", "2001:db8::1"].map(ip));
        assert!(
            !is_reachable(&ip("fe80::1")) && !is_reachable(&ip("127.0.0.1")) && is_reachable(&ip("10.0.0.1"))
        );
    }

    #[test]
    fn every_address_that_works_is_an_address_of_ours() {
        let listening = [
            (Scheme::Https, "0.0.0.0:8443".parse().unwrap()),
            (Scheme::Http, "127.0.0.1:8080".parse().unwrap()),
        ];
        let urls: Vec<_> = base_urls(&listening, &[ip("192.168.1.5"), ip("2001:db8::1")])
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(urls[0], "https://192.168.1.5:8443", "the best first");
        for url in ["https://localhost:8443", "http://localhost:8080", "http://127.0.0.1:8080"] {
            assert!(urls.contains(&url.to_owned()), "{url} in {urls:?}");
        }
        assert!(!urls.contains(&"https://[2001:db8::1]:8443".to_owned()), "bound to IPv4 only");
    }
}
