#![expect(unsafe_code, reason = "system calls")]
//! Linux: several datagrams per call, offloads, `epoll`, pinning.

use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use crate::udp::Message;

fn check(result: libc::c_int) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

// ---- Options ----

fn set_option(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let len = mem::size_of_val(&value) as libc::socklen_t;
    // SAFETY: the value lives through the call and the length is its size.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), len) }).map(drop)
}

/// Asks for larger kernel buffers: by right of administration past the system's limit, else up to it.
pub(crate) fn enlarge_buffers(socket: &socket2::Socket, receive: usize, send: usize) {
    use std::os::fd::AsFd;
    let int = |bytes: usize| libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    if set_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, int(receive)).is_err() {
        let _ = socket.set_recv_buffer_size(receive);
    }
    if set_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, int(send)).is_err() {
        let _ = socket.set_send_buffer_size(send);
    }
}

/// Whether the kernel knows segmentation offload. Zero as the socket's own segment size changes nothing.
pub(crate) fn has_gso(fd: BorrowedFd<'_>) -> bool {
    set_option(fd, libc::SOL_UDP, libc::UDP_SEGMENT, 0).is_ok()
}

/// Switches receive offload on.
pub(crate) fn set_gro(fd: BorrowedFd<'_>) -> io::Result<()> {
    set_option(fd, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Asks for our own address with every datagram.
pub(crate) fn set_packet_info(fd: BorrowedFd<'_>, v6: bool) -> io::Result<()> {
    if v6 {
        set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)
    } else {
        set_option(fd, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
    }
}

/// Asks for the wall-clock time of arrival with every datagram.
pub(crate) fn set_timestamps(fd: BorrowedFd<'_>) -> io::Result<()> {
    set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)
}

// ---- Addresses and control messages ----

/// A socket address as the kernel reads and writes it. Both forms begin with the family.
#[derive(Clone, Copy)]
#[repr(C)]
union RawAddress {
    family: libc::sa_family_t,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl RawAddress {
    fn empty() -> Self {
        // SAFETY: all zeroes are a valid `sockaddr_in6`, of family 0, which `get` takes for no address.
        unsafe { mem::zeroed() }
    }

    /// The length of the form that was set.
    fn set(&mut self, address: SocketAddr) -> libc::socklen_t {
        match address {
            SocketAddr::V4(address) => {
                self.v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: address.port().to_be(),
                    sin_addr: raw_v4(*address.ip()),
                    sin_zero: [0; 8],
                };
                mem::size_of::<libc::sockaddr_in>() as libc::socklen_t
            }
            SocketAddr::V6(address) => {
                self.v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: address.flowinfo(),
                    sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                    sin6_scope_id: address.scope_id(),
                };
                mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t
            }
        }
    }

    fn get(&self) -> Option<SocketAddr> {
        // SAFETY: every byte of the union was initialised by `empty`, whatever form was written over it since, and
        // every bit pattern is a valid integer. The family says which form the kernel has written.
        unsafe {
            match libc::c_int::from(self.family) {
                libc::AF_INET => {
                    let ip = Ipv4Addr::from(u32::from_be(self.v4.sin_addr.s_addr));
                    Some(SocketAddrV4::new(ip, u16::from_be(self.v4.sin_port)).into())
                }
                libc::AF_INET6 => {
                    let ip = Ipv6Addr::from(self.v6.sin6_addr.s6_addr);
                    // The flow label is no part of an address.
                    let port = u16::from_be(self.v6.sin6_port);
                    Some(SocketAddrV6::new(ip, port, 0, self.v6.sin6_scope_id).into())
                }
                _ => None,
            }
        }
    }
}

fn raw_v4(ip: Ipv4Addr) -> libc::in_addr {
    libc::in_addr { s_addr: u32::from(ip).to_be() }
}

/// Control messages of one datagram: the segment size, our address and the time of arrival, with their headers 24, 40
/// and 32 bytes.
const CONTROL_BYTES: usize = 96;

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

impl Control {
    const EMPTY: Self = Self([0; CONTROL_BYTES]);
}

/// Writes control messages one after the other.
struct ControlWriter<'a> {
    control: &'a mut Control,
    used: usize,
}

impl ControlWriter<'_> {
    fn push<T: Copy>(&mut self, level: libc::c_int, kind: libc::c_int, value: T) {
        let size = mem::size_of::<T>() as libc::c_uint;
        // SAFETY: these two only calculate.
        let (space, len) = unsafe { (libc::CMSG_SPACE(size) as usize, libc::CMSG_LEN(size) as usize) };
        assert!(self.used + space <= CONTROL_BYTES, "a control message more than planned");
        // SAFETY: the assertion keeps header and value within the array. The array is aligned for headers and each
        // space is a multiple of that alignment; the value may lie unaligned behind its header and is written so.
        unsafe {
            let header: *mut libc::cmsghdr = self.control.0.as_mut_ptr().add(self.used).cast();
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            (*header).cmsg_len = len as _;
            libc::CMSG_DATA(header).cast::<T>().write_unaligned(value);
        }
        self.used += space;
    }
}

// ---- Sending ----

/// Arrays that `sendmmsg` reads, kept between calls for their memory only: every pointer in them is written anew
/// before each call.
pub(crate) struct SendHeaders {
    addresses: Vec<RawAddress>,
    controls: Vec<Control>,
    slices: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

// SAFETY: the raw pointers inside are never followed outside `send`, which writes them before use.
unsafe impl Send for SendHeaders {}

impl SendHeaders {
    pub(crate) fn new(messages_max: usize) -> Self {
        Self {
            addresses: vec![RawAddress::empty(); messages_max],
            controls: vec![Control::EMPTY; messages_max],
            slices: vec![empty_slice(); messages_max],
            headers: vec![empty_header(); messages_max],
        }
    }

    /// Sends as many of the messages, from the first on, as the kernel takes in one call. Returns how many.
    ///
    /// # Errors
    /// The first message was not taken, and why.
    pub(crate) fn send(
        &mut self,
        fd: BorrowedFd<'_>,
        data: &[u8],
        messages: &[Message],
    ) -> io::Result<usize> {
        let count = messages.len().min(self.headers.len());
        for (index, message) in messages.iter().take(count).enumerate() {
            let bytes = data.get(message.start..message.start + message.len).unwrap_or_default();
            self.slices[index] =
                libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
            let mut control = ControlWriter { control: &mut self.controls[index], used: 0 };
            if message.segment < message.len {
                control.push(libc::SOL_UDP, libc::UDP_SEGMENT, message.segment as u16);
            }
            match message.local {
                None => {}
                Some(IpAddr::V4(ip)) => {
                    let info =
                        libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: raw_v4(ip), ipi_addr: raw_v4(ip) };
                    control.push(libc::IPPROTO_IP, libc::IP_PKTINFO, info);
                }
                Some(IpAddr::V6(ip)) => {
                    let address = libc::in6_addr { s6_addr: ip.octets() };
                    let info = libc::in6_pktinfo { ipi6_addr: address, ipi6_ifindex: 0 };
                    control.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
                }
            }
            let control_bytes = control.used;
            let header = &mut self.headers[index].msg_hdr;
            header.msg_namelen = self.addresses[index].set(message.remote);
            header.msg_name = (&raw mut self.addresses[index]).cast();
            header.msg_iov = &raw mut self.slices[index];
            header.msg_iovlen = 1;
            header.msg_control = self.controls[index].0.as_mut_ptr().cast();
            header.msg_controllen = control_bytes as _;
        }
        // SAFETY: the first `count` headers point at elements of vectors of the same length, which live and are not
        // moved, and at bytes of `data`; the kernel only reads them.
        check(unsafe {
            libc::sendmmsg(fd.as_raw_fd(), self.headers.as_mut_ptr(), count as _, libc::MSG_DONTWAIT as _)
        })
    }
}

fn empty_slice() -> libc::iovec {
    libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }
}

fn empty_header() -> libc::mmsghdr {
    // SAFETY: all zeroes are a valid header: null pointers and zero lengths.
    unsafe { mem::zeroed() }
}

// ---- Receiving ----

/// One message as it arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    pub(crate) len: usize,
    pub(crate) remote: Option<SocketAddr>,
    /// Our address, if the socket asks for it, and the interface.
    pub(crate) local: Option<(IpAddr, u32)>,
    /// Bytes of each datagram but the last, if the kernel put several together.
    pub(crate) segment: Option<usize>,
    /// When, since 1970, if the socket asks for it.
    pub(crate) at: Option<Duration>,
    /// The message was larger than the buffer and is not whole.
    pub(crate) truncated: bool,
}

/// Arrays that `recvmmsg` writes. As with [`SendHeaders`], pointers are written anew before each call.
pub(crate) struct RecvHeaders {
    addresses: Vec<RawAddress>,
    controls: Vec<Control>,
    slices: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

// SAFETY: the raw pointers inside are never followed outside `receive` and `arrived`, which write them before use.
unsafe impl Send for RecvHeaders {}

impl RecvHeaders {
    pub(crate) fn new(messages_max: usize) -> Self {
        Self {
            addresses: vec![RawAddress::empty(); messages_max],
            controls: vec![Control::EMPTY; messages_max],
            slices: vec![empty_slice(); messages_max],
            headers: vec![empty_header(); messages_max],
        }
    }

    /// Takes in what waits, one message per `slot_bytes` of the buffer, without waiting. Returns how many.
    pub(crate) fn receive(
        &mut self,
        fd: BorrowedFd<'_>,
        buffer: &mut [u8],
        slot_bytes: usize,
    ) -> io::Result<usize> {
        let mut count = 0;
        for (index, slot) in buffer.chunks_exact_mut(slot_bytes).take(self.headers.len()).enumerate() {
            self.slices[index] = libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot.len() };
            let header = &mut self.headers[index].msg_hdr;
            header.msg_name = (&raw mut self.addresses[index]).cast();
            header.msg_namelen = mem::size_of::<RawAddress>() as libc::socklen_t;
            header.msg_iov = &raw mut self.slices[index];
            header.msg_iovlen = 1;
            header.msg_control = self.controls[index].0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL_BYTES as _;
            header.msg_flags = 0;
            count += 1;
        }
        let flags = libc::MSG_DONTWAIT as _;
        // SAFETY: the first `count` headers point at elements of vectors of the same length, which live and are not
        // moved, and at disjoint parts of `buffer`, borrowed exclusively; the lengths are theirs.
        check(unsafe {
            libc::recvmmsg(fd.as_raw_fd(), self.headers.as_mut_ptr(), count, flags, std::ptr::null_mut())
        })
    }

    /// The message that the last `receive` wrote at this place.
    pub(crate) fn arrived(&mut self, index: usize) -> Arrived {
        let len = self.headers[index].msg_len as usize;
        let remote = self.addresses[index].get();
        let header = &mut self.headers[index].msg_hdr;
        header.msg_control = self.controls[index].0.as_mut_ptr().cast();
        let truncated = header.msg_flags & libc::MSG_TRUNC != 0;
        let mut arrived = Arrived { len, remote, local: None, segment: None, at: None, truncated };
        // SAFETY: `msg_control` was just set to the array that the kernel has filled, and `msg_controllen` is what the
        // kernel says it has written there, at most the array. The macros stay within it; each value is as long as
        // the kernel writes it for its type and is read unaligned.
        unsafe {
            let mut control = libc::CMSG_FIRSTHDR(header);
            while !control.is_null() {
                let value = libc::CMSG_DATA(control);
                match ((*control).cmsg_level, (*control).cmsg_type) {
                    (libc::SOL_UDP, libc::UDP_GRO) => {
                        let segment = value.cast::<libc::c_int>().read_unaligned();
                        arrived.segment = usize::try_from(segment).ok().filter(|&bytes| bytes > 0);
                    }
                    (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                        let time = value.cast::<libc::timespec>().read_unaligned();
                        let secs = u64::try_from(time.tv_sec).unwrap_or(0);
                        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0).min(999_999_999);
                        arrived.at = Some(Duration::new(secs, nanos));
                    }
                    (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                        let info = value.cast::<libc::in_pktinfo>().read_unaligned();
                        let ip = Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr));
                        arrived.local = Some((ip.into(), info.ipi_ifindex as u32));
                    }
                    (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                        let info = value.cast::<libc::in6_pktinfo>().read_unaligned();
                        let ip = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                        arrived.local = Some((ip.into(), info.ipi6_ifindex));
                    }
                    _ => {}
                }
                control = libc::CMSG_NXTHDR(header, control);
            }
        }
        arrived
    }
}

// ---- Waiting ----

/// Events taken from the kernel at once. What does not fit is told at the next call: nothing is edge-triggered.
const EVENTS_MAX: usize = 256;

/// An `epoll` instance. It can itself be waited for in another.
pub(crate) struct Epoll {
    fd: OwnedFd,
    events: Vec<libc::epoll_event>,
    /// The kernel has `epoll_pwait2` (5.11).
    nanoseconds: bool,
}

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointer.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the descriptor was just made and belongs to nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
        Ok(Self { fd, events: vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS_MAX], nanoseconds: true })
    }

    pub(crate) fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    pub(crate) fn add(&self, fd: RawFd, token: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, token, false)
    }

    /// Changes whether room to write is waited for, too.
    pub(crate) fn set_writable(&self, fd: RawFd, token: u64, writable: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, token, writable)
    }

    pub(crate) fn remove(&self, fd: RawFd) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, false)
    }

    fn control(&self, operation: libc::c_int, fd: RawFd, token: u64, writable: bool) -> io::Result<()> {
        let interest = libc::EPOLLIN | if writable { libc::EPOLLOUT } else { 0 };
        let mut event = libc::epoll_event { events: interest as u32, u64: token };
        // SAFETY: the event lives through the call; the kernel checks the descriptor.
        check(unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), operation, fd, &mut event) }).map(drop)
    }

    /// Waits; returns the tokens of what is ready. An interrupting signal ends the wait early, with none.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<impl Iterator<Item = u64> + '_> {
        let count = match self.wait_raw(timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            result => result?,
        };
        Ok(self.events.iter().take(count).map(|event| event.u64))
    }

    fn wait_raw(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let (fd, events, len) = (self.fd.as_raw_fd(), self.events.as_mut_ptr(), EVENTS_MAX as libc::c_int);
        if self.nanoseconds {
            // The kernel's own form of a time, the same on 32 bits; the C library's differs there.
            #[repr(C)]
            struct KernelTime {
                seconds: i64,
                nanoseconds: i64,
            }
            let time = timeout.map(|time| KernelTime {
                seconds: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
                nanoseconds: i64::from(time.subsec_nanos()),
            });
            let time: *const KernelTime = time.as_ref().map_or(std::ptr::null(), |time| &raw const *time);
            let no_signals: *const libc::sigset_t = std::ptr::null();
            // SAFETY: pointer and length are those of the event array; the time is null or lives through the call; no
            // signal set is given. Arguments have the width of registers or are pointers.
            let result =
                unsafe { libc::syscall(libc::SYS_epoll_pwait2, fd, events, len, time, no_signals, 8usize) };
            match check(result as libc::c_int) {
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
                    self.nanoseconds = false;
                }
                result => return result,
            }
        }
        let timeout_ms = match timeout {
            None => -1,
            Some(time) => i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX),
        };
        // SAFETY: pointer and length are those of the event array.
        check(unsafe { libc::epoll_wait(fd, events, len, timeout_ms) })
    }
}

/// A descriptor that is readable after eight bytes were written, until they are read: one wake-up, however often.
pub(crate) fn event_fd() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
    // SAFETY: the descriptor was just made and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

// ---- Cores ----

/// Binds the calling thread to a core.
pub(crate) fn pin_this_thread(core: usize) -> io::Result<()> {
    if core >= libc::CPU_SETSIZE as usize {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: all zeroes are an empty set; the core is within it; pointer and size are the set's.
    check(unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, mem::size_of_val(&set), &raw const set)
    })
    .map(drop)
}

/// The cores that the calling thread may run on.
pub(crate) fn allowed_cores() -> Vec<usize> {
    // SAFETY: all zeroes are an empty set; pointer and size are the set's; every core asked for is within it.
    unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        if libc::sched_getaffinity(0, mem::size_of_val(&set), &raw mut set) != 0 {
            return Vec::new();
        }
        (0..libc::CPU_SETSIZE as usize).filter(|&core| libc::CPU_ISSET(core, &set)).collect()
    }
}
