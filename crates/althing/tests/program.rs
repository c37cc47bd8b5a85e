//! The program as an operator and a client see it: started, asked, stopped, started again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::{Output, Stdio};

use futures_util::{SinkExt, StreamExt};
use net::{NetConfig, UdpSocket};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A running program on ports that the system chose.
struct Program {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    http: String,
    /// As the log has them.
    media_ports: String,
}

impl Program {
    async fn start(data: &Path) -> Self {
        Self::start_by(command(data)).await
    }

    async fn start_by(mut command: Command) -> Self {
        let mut child = command
            .args(["serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--media-port", "0"])
            .args(["--advertise-ip", "127.0.0.1", "--log-format", "json"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        loop {
            let Some(line) = log.next_line().await.unwrap() else { panic!("it ended:\n{said}") };
            said = said + &line + "\n";
            let line: Value = serde_json::from_str(&line).unwrap_or_default();
            if line["message"] == "running" {
                let text = |key: &str| line[key].as_str().unwrap().to_owned();
                return Self { child, log, http: text("http"), media_ports: text("media_ports") };
            }
        }
    }

    /// Tells it to stop; its exit code, and what it logged meanwhile.
    async fn stop(mut self) -> (Option<i32>, String) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(sent.success());
        let mut said = String::new();
        while let Some(line) = self.log.next_line().await.unwrap() {
            said = said + &line + "\n";
        }
        (self.child.wait().await.unwrap().code(), said)
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.http).await.unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.http);
        let kind = "Content-Type: application/json\r\n";
        let request = format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }
}

fn command(data: &Path) -> Command {
    command_after(&[], data)
}

/// The program, started by another one.
fn command_after(starter: &[&str], data: &Path) -> Command {
    let mut words = starter.iter().chain([&env!("CARGO_BIN_EXE_althing")]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    // What this machine's environment says must not matter.
    command.env_clear().env("ALTHING_DATA_DIR", data).stdin(Stdio::null()).stdout(Stdio::null());
    command.kill_on_drop(true);
    command
}

async fn run(data: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut command = command(data);
    let Output { status, stdout, stderr } =
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout) + &text(stderr))
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a participant's socket and authenticates there.
async fn enter(url: &str, token: &str, id: &str) -> Socket {
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let authenticate = json!({"type": "authenticate", "token": token, "participant_id": id, "id": "1"});
    socket.send(Message::text(authenticate.to_string())).await.unwrap();
    let Some(Ok(Message::Text(answer))) = socket.next().await else { panic!("no answer") };
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["type"], &answer["ref"]), (&json!("success"), &json!("1")), "{answer}");
    socket
}

#[tokio::test]
async fn a_guest_comes_back_after_a_restart_with_the_same_token() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = Program::start(&data).await;
    let (status, room) = program.call("POST", "/meet/v1/rooms", "").await;
    assert_eq!(status, 200, "{room}");
    let path = format!("/meet/v1/rooms/{}/participants", room["name"].as_str().unwrap());
    let (_, guest) = program.call("POST", &path, "").await;
    assert_eq!(guest["api_address"], format!("http://{}", program.http));
    let (meeting, id) = (guest["meeting_id"].as_str().unwrap(), guest["participant_id"].as_str().unwrap());
    let body = json!({"participant_id": id, "participant_secret": guest["participant_secret"]}).to_string();
    let (status, joined) = program.call("POST", &format!("/v1/meetings/{meeting}/join"), &body).await;
    assert_eq!(status, 200, "{joined}");
    let location = joined["location"].as_str().unwrap();
    assert_eq!(location, format!("ws://{}/v1/meetings/{meeting}/ws", program.http));
    let token = joined["token"].as_str().unwrap();

    let mut socket = enter(location, token, id).await;
    let hear = tokio::spawn(async move {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|f| u16::from(f.code)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    });
    let (code, log) = program.stop().await;
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(hear.await.unwrap(), Some(1012), "told to come back");
    for secret in [token, guest["participant_secret"].as_str().unwrap()] {
        assert!(!log.contains(secret), "{log}");
    }

    let program = Program::start(&data).await;
    let location = format!("ws://{}/v1/meetings/{meeting}/ws", program.http);
    drop(enter(&location, token, id).await);
    let (_, again) = program.call("POST", &path, "").await;
    assert_eq!(again["meeting_id"], meeting, "the room has the same meeting");
    assert_eq!(program.stop().await.0, Some(0));
}

#[tokio::test]
async fn it_becomes_ready_and_shows_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path()).await;
    assert_eq!(program.call("GET", "/healthz", "").await, (200, json!({"status": "ok"})));
    loop {
        let (status, body) = program.call("GET", "/readyz", "").await;
        if status == 200 {
            break;
        }
        assert_eq!(status, 503, "{body}");
    }
    assert_eq!(program.call("GET", "/metrics", "").await.0, 200);
    let (status, body) = program.call("GET", "/v1/meetings", "").await;
    assert_eq!((status, &body["reason"]), (401, &json!("missing access token")));
    program.stop().await;
}

#[tokio::test]
async fn there_is_a_media_unit_for_each_core_that_the_program_may_use() {
    let folder = tempfile::tempdir().unwrap();
    let units = |program: &Program| program.media_ports.split(',').count();
    let program = Program::start(folder.path()).await;
    assert_eq!(units(&program), std::thread::available_parallelism().unwrap().get());
    program.stop().await;
    if cfg!(target_os = "linux") {
        let core = net::allowed_cores().last().unwrap().to_string();
        let program = Program::start_by(command_after(&["taskset", "-c", &core], folder.path())).await;
        assert_eq!(units(&program), 1);
        program.stop().await;
    }
}

/// Two ports in a row, the second of which somebody has at that address. None: the machine has no such address.
fn port_before_a_taken_one(ip: IpAddr) -> Option<(u16, UdpSocket)> {
    let bind = |ip, port| UdpSocket::bind(SocketAddr::new(ip, port), &NetConfig::default());
    let v4 = Ipv4Addr::UNSPECIFIED.into();
    loop {
        let taken = bind(ip, 0).ok()?;
        let port = taken.local_addr().port();
        if bind(v4, port - 1).is_ok()
            && bind(ip, port - 1).is_ok()
            && (ip.is_ipv4() || bind(v4, port).is_ok())
        {
            return Some((port - 1, taken));
        }
    }
}

#[tokio::test]
async fn a_media_port_that_is_taken_is_named_with_those_of_all_units() {
    let folder = tempfile::tempdir().unwrap();
    for ip in [Ipv4Addr::UNSPECIFIED.into(), IpAddr::from(Ipv6Addr::UNSPECIFIED)] {
        let Some((first, taken)) = port_before_a_taken_one(ip) else { continue };
        let first_text = first.to_string();
        let args = ["serve", "--http", "127.0.0.1:0", "--https", "off", "--units", "3", "--media-port"];
        let args: Vec<&str> = args.into_iter().chain([first_text.as_str()]).collect();
        let (code, words) = run(folder.path(), &args).await;
        assert_eq!(code, Some(1));
        let port = format!("the media port {}:", taken.local_addr());
        for part in [port, format!("{first} to {}", first + 2), "--media-port".into(), "--units".into()] {
            assert!(words.contains(&part), "{part} in {words}");
        }
    }
}

#[tokio::test]
async fn what_prevents_a_start_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let program = Program::start(&first).await;

    let (code, words) = run(&second, &["serve", "--http", &program.http, "--https", "off"]).await;
    assert_eq!(code, Some(1));
    assert!(words.contains("is in use by another program") && words.contains("--http"), "{words}");

    let (code, words) = run(&first, &["serve", "--http", "127.0.0.1:0", "--https", "off"]).await;
    assert_eq!(code, Some(1));
    assert!(words.contains("in use by another althing"), "{words}");

    let file = folder.path().join("althing.toml");
    std::fs::write(&file, "http = \"127.0.0.1:0\"\nhttsp = \"off\"\n").unwrap();
    let (code, words) = run(&second, &["serve", "--config", file.to_str().unwrap()]).await;
    assert_eq!(code, Some(1));
    assert!(words.ends_with("althing.toml:2: unknown key `httsp`; did you mean `https`?\n"), "{words}");

    let (code, words) = run(Path::new("/proc/none"), &["serve"]).await;
    assert_eq!(code, Some(1));
    assert!(words.contains("cannot be written") && words.contains("--data-dir"), "{words}");
    assert_eq!(words.matches("No such file").count(), 1, "{words}");
    program.stop().await;
}

#[tokio::test]
async fn configuration_and_key_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (code, words) = run(&data, &["key", "show"]).await;
    assert_eq!(code, Some(1));
    assert!(words.contains("`althing serve` makes it"), "{words}");
    assert_eq!(run(&data, &["config", "check"]).await, (Some(0), "The configuration is fine.\n".to_owned()));
    assert!(!data.exists(), "looking makes nothing");

    Program::start(&data).await.stop().await;
    let (code, words) = run(&data, &["key", "show"]).await;
    assert_eq!(code, Some(0));
    assert!(words.contains("project-key.json") && !words.contains("PRIVATE KEY"), "{words}");

    let (code, printed) = run(&data, &["config", "print", "--units", "2"]).await;
    assert_eq!(code, Some(0));
    assert!(printed.contains("# ALTHING_DATA_DIR") && printed.contains("# --units"), "{printed}");
    let file = folder.path().join("printed.toml");
    std::fs::write(&file, &printed).unwrap();
    let (code, words) = run(&data, &["config", "check", "--config", file.to_str().unwrap()]).await;
    assert_eq!(code, Some(0), "what is printed is a configuration: {words}");
}
