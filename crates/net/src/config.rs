/// What sockets may use. The default uses everything the kernel grants; each switch forces the plain way, which tests
/// and trouble need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetConfig {
    /// Send a run of datagrams as one message that the kernel cuts (UDP segmentation offload; Linux 4.18).
    pub gso: bool,
    /// Take in datagrams that the kernel has put together (UDP receive offload; Linux 5.0).
    pub gro: bool,
    /// Send and receive several messages per call (`sendmmsg`, `recvmmsg`). Off: one `send_to` or `recv_from` per
    /// datagram, which excludes `gso` and `gro`, and an address of our own that is looked up by route.
    pub batch: bool,
    /// Ask the kernel when each message arrived ([`RecvBatch::iter_arrived`](crate::RecvBatch::iter_arrived)). Off by
    /// default: it costs every packet of the machine a reading of the clock, and only measurements need it.
    pub timestamps: bool,
    /// Wait with `epoll`, which takes nanoseconds (Linux 5.11). Off: `poll`.
    pub epoll: bool,
    /// Bytes of the kernel's receive buffer that are asked for. A unit that is busy for 20 ms at 100,000 packets/s must
    /// find them all; the kernel counts about 2.3 KiB for each.
    pub receive_buffer_bytes: usize,
    /// Bytes of the kernel's send buffer that are asked for. A key frame for 200 receivers is about 5 MiB at once.
    pub send_buffer_bytes: usize,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            gso: true,
            gro: true,
            batch: true,
            timestamps: false,
            epoll: true,
            receive_buffer_bytes: 8 << 20,
            send_buffer_bytes: 8 << 20,
        }
    }
}

impl NetConfig {
    /// Everything off: one call per datagram, as on a system that grants nothing.
    pub fn plain() -> Self {
        Self { gso: false, gro: false, batch: false, epoll: false, ..Self::default() }
    }
}
