//! Starting what is measured and what measures, each on its core, and ending what was started, whatever happens.

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use net::clock;
use serde_json::Value;

/// How often a process that should end or answer is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// A server that does not answer after this time will not.
const START_MAX: Duration = Duration::from_secs(15);
/// Descriptors of a process: two sockets for each of a thousand clients, on both ends.
const DESCRIPTORS: u32 = 16_384;

/// A process that ends with us.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself. Returns its exit code.
    fn wait(mut self, at_most: Duration) -> Result<i32> {
        let deadline = clock::now() + at_most;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code().unwrap_or(-1));
            }
            ensure!(clock::now() < deadline, "did not end in {at_most:?}: {}", self.last_words());
            sleep(LOOK_INTERVAL);
        }
    }

    /// Waits until something listens there.
    fn wait_listening(&mut self, address: SocketAddr) -> Result<()> {
        let deadline = clock::now() + START_MAX;
        while TcpStream::connect_timeout(&address, LOOK_INTERVAL).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("ended at once with {status}: {}", self.last_words());
            }
            ensure!(clock::now() < deadline, "does not listen on {address}: {}", self.last_words());
            sleep(LOOK_INTERVAL);
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        last_lines(&self.log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed; that is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(4).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n    ")
}

/// Where everything is, and where it runs.
pub(super) struct Bench {
    /// Programs that were built with this one.
    programs: PathBuf,
    /// Ours alone; removed at the end.
    folder: PathBuf,
    server_core: usize,
    load_core: usize,
    /// The program, and the address for its media.
    janus: Option<(PathBuf, IpAddr)>,
    /// What goes before every command.
    prefix: Vec<String>,
    runs: u32,
}

impl Bench {
    pub(super) fn new(with_janus: bool) -> Result<Self> {
        let cores = net::allowed_cores();
        let (Some(&server_core), Some(&load_core)) = (cores.first(), cores.last()) else {
            bail!("the system does not say which cores there are");
        };
        ensure!(server_core != load_core, "two cores are needed: one for the server, one for its load");
        let own = std::env::current_exe().context("where this program lies")?;
        let programs = own.parent().context("this program lies in no folder")?.to_owned();
        for name in ["althing", "althing-load"] {
            ensure!(
                programs.join(name).exists(),
                "{name} is not built beside this program; run `make bench`"
            );
        }
        let folder = std::env::temp_dir().join(format!("althing-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let limit = format!("--nofile={DESCRIPTORS}:{DESCRIPTORS}");
        let granted = Command::new("prlimit").args([&limit, "true"]).stderr(Stdio::null()).status();
        let prefix = match granted {
            Ok(status) if status.success() => vec!["prlimit".to_owned(), limit],
            _ => Vec::new(),
        };
        let janus = if with_janus { find_janus().zip(own_address()) } else { None };
        Ok(Self { programs, folder, server_core, load_core, janus, prefix, runs: 0 })
    }

    pub(super) fn has_janus(&self) -> bool {
        self.janus.is_some()
    }

    pub(super) fn cores(&self) -> (usize, usize) {
        (self.server_core, self.load_core)
    }

    /// Measures a fresh Althing. Gives the generator's results, one for each of its measurements.
    pub(super) fn ours(&mut self, load: &str, at_most: Duration) -> Result<Vec<Value>> {
        let (http, media) = (free_port()?, free_media_port()?);
        let data = self.folder.join(format!("data-{}", self.runs));
        let http_address = SocketAddr::from(([127, 0, 0, 1], http));
        let data_text = data.to_string_lossy().into_owned();
        let (http_text, media_text) = (http_address.to_string(), media.to_string());
        let arguments = ["serve", "--data-dir", &data_text, "--http", &http_text, "--https", "off"];
        let more = ["--units", "1", "--media-port", &media_text, "--log", "warn"];
        let program = self.programs.join("althing");
        let mut server = self.spawn(&program, self.server_core, arguments.iter().chain(&more).copied())?;
        server.wait_listening(http_address).context("althing")?;
        let results = self.load(&format!("--url http://{http_address} {load}"), server.id(), at_most);
        let ended = results.with_context(|| format!("server: {}", server.last_words()));
        drop(server);
        let _ = fs::remove_dir_all(data);
        ended
    }

    /// The same with a fresh Janus. None where there is none.
    pub(super) fn janus(&mut self, load: &str, at_most: Duration) -> Result<Option<Vec<Value>>> {
        let Some((program, ip)) = self.janus.clone() else { return Ok(None) };
        let port = free_port()?;
        let folder = self.folder.join(format!("janus-{}", self.runs));
        write_janus_config(&folder, port, ip)?;
        let folder_text = folder.to_string_lossy().into_owned();
        let config = folder.join("janus.jcfg").to_string_lossy().into_owned();
        let arguments = ["-F", &folder_text, "-C", &config, "--disable-colors"];
        let mut server = self.spawn(&program, self.server_core, arguments)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        server.wait_listening(address).context("janus")?;
        let results = self.load(
            &format!("--target janus --url http://{address} --ip {ip} {load}"),
            server.id(),
            at_most,
        );
        let ended = results.with_context(|| format!("janus: {}", server.last_words()));
        drop(server);
        let _ = fs::remove_dir_all(folder);
        ended.map(Some)
    }

    /// Measures what the machine allows.
    pub(super) fn limit(&mut self, arguments: &str, at_most: Duration) -> Result<Value> {
        let results = self.results();
        let (server, load) = (self.server_core, self.load_core);
        let cores = format!("limit --cpu {server} --sink-cpu {load} --json {}", results.display());
        let program = self.programs.join("althing-bench");
        let line = format!("{cores} {arguments}");
        // It pins its own two threads.
        let process = self.spawn_anywhere(&program, line.split_whitespace())?;
        let log = process.log.clone();
        let code = process.wait(at_most).context("limit")?;
        ensure!(code == 0, "limit ended with {code}: {}", last_lines(&log));
        read_lines(&results)?.pop().context("limit wrote no result")
    }

    /// Measures units, or what the machine allows on as many threads, without any server's process.
    pub(super) fn units(&mut self, arguments: &str, at_most: Duration) -> Result<Value> {
        let results = self.results();
        let program = self.programs.join("althing-bench");
        let line = format!("units --json {} {arguments}", results.display());
        // It pins its own threads.
        let process = self.spawn_anywhere(&program, line.split_whitespace())?;
        let log = process.log.clone();
        let code = process.wait(at_most).context("units")?;
        ensure!(code == 0, "units ended with {code}: {}", last_lines(&log));
        read_lines(&results)?.pop().context("units wrote no result")
    }

    /// Runs another program that was built beside this one, and gives what it writes.
    pub(super) fn output_of(
        &mut self,
        program: &Path,
        arguments: &[&str],
        at_most: Duration,
    ) -> Result<String> {
        let process = self.spawn(program, self.server_core, arguments.iter().copied())?;
        let log = process.log.clone();
        let code = process.wait(at_most)?;
        ensure!(code == 0, "ended with {code}: {}", last_lines(&log));
        Ok(fs::read_to_string(log)?)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn programs(&self) -> &Path {
        &self.programs
    }

    fn load(&mut self, arguments: &str, server: u32, at_most: Duration) -> Result<Vec<Value>> {
        let results = self.results();
        let line = format!("{arguments} --server-pid {server} --json {}", results.display());
        let program = self.programs.join("althing-load");
        let process = self.spawn(&program, self.load_core, line.split_whitespace())?;
        let log = process.log.clone();
        let code = process.wait(at_most).context("the generator")?;
        // 1: not everything was delivered, which the results say, too.
        ensure!(code == 0 || code == 1, "the generator ended with {code}: {}", last_lines(&log));
        let results = read_lines(&results)?;
        ensure!(!results.is_empty(), "the generator wrote no result: {}", last_lines(&log));
        Ok(results)
    }

    fn results(&self) -> PathBuf {
        self.folder.join(format!("results-{}.jsonl", self.runs))
    }

    fn spawn<'a>(
        &mut self,
        program: &Path,
        core: usize,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Process> {
        let pin = ["taskset".to_owned(), "-c".to_owned(), core.to_string()];
        self.spawn_after(&pin, program, arguments)
    }

    fn spawn_anywhere<'a>(
        &mut self,
        program: &Path,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Process> {
        self.spawn_after(&[], program, arguments)
    }

    fn spawn_after<'a>(
        &mut self,
        pin: &[String],
        program: &Path,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Process> {
        self.runs += 1;
        let log = self.folder.join(format!("log-{}", self.runs));
        let out = File::create(&log)?;
        // Each of these replaces itself by the next, so the process that we know is the program.
        let words = self.prefix.iter().chain(pin).cloned();
        let mut words = words.chain([program.to_string_lossy().into_owned()]);
        let first = words.next().context("no program")?;
        let mut command = Command::new(&first);
        command.args(words).args(arguments);
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().with_context(|| format!("cannot start {first}"))?;
        Ok(Process { child, log })
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn read_lines(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let _ = fs::remove_file(path);
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The server takes the port for UDP and TCP.
fn free_media_port() -> Result<u16> {
    let port = free_port()?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    net::UdpSocket::bind(address, &net::NetConfig::default()).context("a free port")?;
    Ok(port)
}

fn find_janus() -> Option<PathBuf> {
    let named = std::env::var_os("ALTHING_JANUS").map(PathBuf::from);
    let usual = ["/usr/bin/janus", "/usr/local/bin/janus", "/opt/janus/bin/janus"].map(PathBuf::from);
    named.into_iter().chain(usual).find(|path| path.exists())
}

/// An address of this machine that is not of the loopback interface, which Janus does not offer to its clients. Packets
/// between two addresses of one machine go through the loopback interface all the same.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Sends nothing: the kernel only looks up which of our addresses leads there (RFC 5737: nobody is there).
    socket.connect((Ipv4Addr::new(198, 51, 100, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

/// Only what is measured: the VideoRoom, HTTP on loopback, candidates of one address, no log beside errors, sessions
/// that need no keep-alive.
fn write_janus_config(folder: &Path, port: u16, ip: IpAddr) -> Result<()> {
    fs::create_dir_all(folder)?;
    let plugins = [
        "audiobridge",
        "duktape",
        "echotest",
        "lua",
        "nosip",
        "recordplay",
        "sip",
        "streaming",
        "textroom",
        "videocall",
        "voicemail",
    ];
    let disabled: Vec<_> = plugins.iter().map(|name| format!("libjanus_{name}.so")).collect();
    let main = format!(
        "general: {{\n  configs_folder = \"{}\"\n  debug_level = 2\n  session_timeout = 0\n  \
         admin_secret = \"none\"\n  server_name = \"bench\"\n}}\n\
         media: {{\n  rtp_port_range = \"20000-60000\"\n}}\n\
         nat: {{\n  ice_enforce_list = \"{ip}\"\n  full_trickle = false\n}}\n\
         plugins: {{\n  disable = \"{}\"\n}}\n\
         transports: {{\n  disable = \"libjanus_websockets.so,libjanus_rabbitmq.so,libjanus_pfunix.so,\
         libjanus_mqtt.so,libjanus_nanomsg.so\"\n}}\nevents: {{\n  broadcast = false\n}}\n",
        folder.display(),
        disabled.join(",")
    );
    let http = format!(
        "general: {{\n  json = \"compact\"\n  base_path = \"/janus\"\n  http = true\n  port = {port}\n  \
         ip = \"127.0.0.1\"\n  https = false\n}}\nadmin: {{\n  admin_http = false\n  admin_https = false\n}}\n"
    );
    fs::write(folder.join("janus.jcfg"), main)?;
    fs::write(folder.join("janus.transport.http.jcfg"), http)?;
    fs::write(folder.join("janus.plugin.videoroom.jcfg"), "general: {\n}\n")?;
    Ok(())
}

/// For messages: how long it has taken.
pub(super) fn seconds_since(begin: Instant) -> f64 {
    clock::now().saturating_duration_since(begin).as_secs_f64()
}
