//! The command line, and what follows from it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use model::{Codec, Rid};

use crate::http::BaseUrl;
use crate::source::{Camera, Noise, Shape};

/// Loads a server with real WebRTC clients and says what arrived and what it cost.
#[derive(Debug, Clone, Parser)]
#[command(name = "althing-load", version)]
pub struct Args {
    /// Address of the server
    #[arg(long, default_value = "http://localhost:8080")]
    pub url: String,
    /// What the server is: Althing, or a Janus with its HTTP API and VideoRoom
    #[arg(long, value_enum, default_value_t = Target::Althing)]
    pub target: Target,
    /// Room of Meet to join [default: a new one]
    #[arg(long)]
    pub room: Option<String>,
    /// Rooms among which publishers and receivers are shared out evenly
    #[arg(long, default_value_t = 1)]
    pub rooms: usize,

    /// Clients that only send
    #[arg(long, default_value_t = 1)]
    pub publishers: usize,
    /// Clients that only receive
    #[arg(long, default_value_t = 10)]
    pub receivers: usize,
    /// Video tracks of each publisher
    #[arg(long, default_value_t = 1)]
    pub tracks_per_publisher: usize,
    /// Publishers send speech, too
    #[arg(long)]
    pub audio: bool,
    /// Video codec
    #[arg(long, value_enum, default_value_t = VideoCodec::Vp8)]
    pub codec: VideoCodec,

    /// Like a camera of 30 frames a second, instead of a steady rate
    #[arg(long, value_enum)]
    pub profile: Option<Profile>,
    /// With a profile: three simulcast encodings
    #[arg(long)]
    pub simulcast: bool,
    /// Packets a second of each video track
    #[arg(long, default_value_t = 250.0)]
    pub pps: f64,
    /// Packets released at once
    #[arg(long, default_value_t = 1)]
    pub burst: usize,
    /// Bytes of a packet's payload
    #[arg(long, default_value_t = 1100)]
    pub size: usize,
    /// After each measurement without much loss, raise the rate by this factor and measure again (1.35)
    #[arg(long)]
    pub ramp: Option<f64>,

    /// Receive m-lines of each receiver, half of them for audio [default: as many as there are streams]
    #[arg(long)]
    pub slots: Option<usize>,
    /// Encoding to ask for [default: the best, by the server's choice]
    #[arg(long)]
    pub rid: Option<String>,
    /// Every so many-th receiver is a whole client, which decrypts, reports and asks for what it lacks. The others count
    /// packets by their headers, and report (transport-wide feedback, receiver reports) but repair nothing. 0: none
    #[arg(long, default_value_t = 1)]
    pub feed: usize,
    /// Receivers that only count send no reports either
    #[arg(long)]
    pub silent: bool,
    /// Measure how long packets take from their sending to their arrival in the kernel, at receivers that decrypt
    #[arg(long)]
    pub delay: bool,
    /// Seal payloads, and look into those that are decrypted: whether they are as they were sent, and how large key
    /// frames say that pictures are
    #[arg(long)]
    pub verify: bool,
    /// Say `hello` as clients that know Althing's own messages do
    #[arg(long)]
    pub hello: bool,

    /// Seconds of each measurement
    #[arg(long, default_value_t = 10.0)]
    pub secs: f64,
    /// Seconds between the last join and the measurement
    #[arg(long, default_value_t = 2.0)]
    pub warm: f64,
    /// Seconds until everybody must have joined and receive
    #[arg(long, default_value_t = 60.0)]
    pub setup: f64,
    /// Clients that join at the same time
    #[arg(long, default_value_t = 8)]
    pub concurrency: usize,

    /// Receivers that join each second, whether those before have finished or not; failures are counted [default: as
    /// fast as `--concurrency` allows, and a failure ends the run]
    #[arg(long)]
    pub join_rate: Option<f64>,

    /// Process whose CPU time and memory are reported
    #[arg(long)]
    pub server_pid: Option<u32>,
    /// Core to run on
    #[arg(long)]
    pub cpu: Option<usize>,
    /// Threads for packets
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Own address to use [default: the one that leads to the server]
    #[arg(long)]
    pub ip: Option<IpAddr>,
    /// Write the results as JSON, one object a line; `-` is standard output
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Name of this run in the results
    #[arg(long, default_value = "")]
    pub label: String,
}

/// Servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "named by the server")]
pub enum Target {
    Althing,
    Janus,
}

/// Codecs of video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "named by the codec")]
pub enum VideoCodec {
    Vp8,
    Vp9,
    H264,
    Av1,
}

impl From<VideoCodec> for Codec {
    fn from(codec: VideoCodec) -> Self {
        match codec {
            VideoCodec::Vp8 => Codec::Vp8,
            VideoCodec::Vp9 => Codec::Vp9,
            VideoCodec::H264 => Codec::H264,
            VideoCodec::Av1 => Codec::Av1,
        }
    }
}

/// Rates and sizes as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// 1280×720: 1.5 Mbit/s, key frames of many packets.
    Camera,
    /// 3840×2160: 16 Mbit/s, key frames of hundreds of packets.
    Camera4k,
}

/// One encoding of a publisher's video track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// None: the only one.
    pub rid: Option<&'static str>,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// Rate of the camera profile.
    pub kbps: u32,
}

const SINGLE: [Encoding; 1] = [Encoding { rid: None, width: 1280, height: 720, kbps: 1_500 }];
const SIMULCAST: [Encoding; 3] = [
    Encoding { rid: Some("l"), width: 320, height: 180, kbps: 150 },
    Encoding { rid: Some("m"), width: 640, height: 360, kbps: 500 },
    Encoding { rid: Some("h"), width: 1280, height: 720, kbps: 1_500 },
];

const SINGLE_4K: [Encoding; 1] = [Encoding { rid: None, width: 3840, height: 2160, kbps: 16_000 }];
const SIMULCAST_4K: [Encoding; 3] = [
    Encoding { rid: Some("l"), width: 960, height: 540, kbps: 800 },
    Encoding { rid: Some("m"), width: 1920, height: 1080, kbps: 4_000 },
    Encoding { rid: Some("h"), width: 3840, height: 2160, kbps: 16_000 },
];

impl Profile {
    /// The encodings of a track with this profile.
    fn encodings(self, simulcast: bool) -> &'static [Encoding] {
        match (self, simulcast) {
            (Self::Camera, false) => &SINGLE,
            (Self::Camera, true) => &SIMULCAST,
            (Self::Camera4k, false) => &SINGLE_4K,
            (Self::Camera4k, true) => &SIMULCAST_4K,
        }
    }

    /// The bit rate of its picture, in kbit/s.
    pub fn kbps(self) -> u32 {
        self.encodings(false).first().map_or(0, |encoding| encoding.kbps)
    }
}

/// A checked command line.
#[derive(Debug, Clone)]
pub struct Plan {
    /// As given, for what needs no checking.
    pub args: Args,
    /// Where.
    pub url: BaseUrl,
    /// Video codec.
    pub codec: Codec,
    /// Encodings of each video track.
    pub encodings: &'static [Encoding],
    /// Receive lines for video, per receiver.
    pub video_slots: usize,
    /// Receive lines for audio, per receiver.
    pub audio_slots: usize,
    /// Encoding to ask for.
    pub rid: Option<Rid>,
    /// Length of a measurement.
    pub measure: Duration,
    /// Before it.
    pub warm: Duration,
    /// For everybody to join.
    pub setup: Duration,
}

impl Args {
    /// Checks what was given, and works out the rest.
    ///
    /// # Errors
    /// Says which option cannot be used, and why.
    pub fn plan(self) -> Result<Plan> {
        let url = BaseUrl::parse(&self.url).context("--url")?;
        ensure!(self.publishers >= 1, "--publishers: without one there is nothing to receive");
        ensure!(self.receivers >= 1, "--receivers: without one nothing is received");
        ensure!(self.tracks_per_publisher >= 1 || self.audio, "a publisher without video needs --audio");
        ensure!(self.burst >= 1 && self.burst <= 1000, "--burst: 1 to 1000");
        ensure!(self.pps.is_finite() && self.pps > 0.0, "--pps: more than 0");
        ensure!(
            (30..=1_160).contains(&self.size),
            "--size: 30 to 1160 bytes, to stay below an Ethernet frame"
        );
        ensure!(self.threads >= 1 && self.threads <= 64, "--threads: 1 to 64");
        ensure!(self.concurrency >= 1, "--concurrency: at least 1");
        ensure!(
            self.rooms >= 1 && self.rooms <= self.publishers,
            "--rooms: 1 to as many as there are --publishers"
        );
        ensure!(self.rooms == 1 || self.room.is_none(), "--room names one, and --rooms are several");
        if self.target == Target::Janus {
            ensure!(self.rooms == 1 && self.slots.is_none(), "with --target janus: one room, no --slots");
        }
        if let Some(rate) = self.join_rate {
            ensure!(rate > 0.0 && rate <= 1_000.0, "--join-rate: more than 0, at most 1000");
        }
        ensure!(!self.delay || self.feed > 0, "--delay needs receivers that decrypt: --feed 1 or more");
        ensure!(!(self.delay && self.verify), "--delay and --verify both write at the end of payloads");
        ensure!(!self.verify || self.feed > 0, "--verify needs receivers that decrypt: --feed 1 or more");
        if self.profile.is_none() && self.simulcast {
            bail!("--simulcast needs a --profile");
        }
        if let Some(ramp) = self.ramp {
            ensure!(self.profile.is_none(), "--ramp raises --pps, and a profile has a rate of its own");
            ensure!(ramp > 1.0 && ramp < 10.0, "--ramp: more than 1, less than 10");
        }
        let rid = match &self.rid {
            Some(_) if !self.simulcast => bail!("--rid needs --simulcast"),
            Some(rid) => Some(rid.parse().context("--rid")?),
            None => None,
        };
        let (video_slots, audio_slots) = self.slot_kinds();
        ensure!(
            video_slots + audio_slots <= model::limits::MEDIA_LINES_MAX,
            "{} receive lines: a server takes at most {}",
            video_slots + audio_slots,
            model::limits::MEDIA_LINES_MAX
        );
        Ok(Plan {
            url,
            codec: self.codec.into(),
            encodings: self.profile.unwrap_or(Profile::Camera).encodings(self.simulcast),
            video_slots,
            audio_slots,
            rid,
            measure: seconds("--secs", self.secs, 0.1)?,
            warm: seconds("--warm", self.warm, 0.0)?,
            setup: seconds("--setup", self.setup, 1.0)?,
            args: self,
        })
    }

    /// Video and audio streams; of the largest room, where rooms differ by one publisher.
    fn streams_of_a_room(&self) -> (usize, usize) {
        let publishers = self.publishers.div_ceil(self.rooms);
        (publishers * self.tracks_per_publisher, if self.audio { publishers } else { 0 })
    }

    fn slot_kinds(&self) -> (usize, usize) {
        let (video, audio) = self.streams_of_a_room();
        match self.slots {
            None => (video, audio),
            Some(slots) if audio == 0 => (slots, 0),
            Some(slots) if video == 0 => (0, slots),
            Some(slots) => (slots - slots / 2, slots / 2),
        }
    }
}

fn seconds(option: &str, value: f64, least: f64) -> Result<Duration> {
    ensure!(value.is_finite() && value >= least && value <= 86_400.0, "{option}: {least} to 86400");
    Ok(Duration::from_secs_f64(value))
}

impl Plan {
    /// How one encoding of a video track is sent.
    pub fn video_shape(&self, encoding: &Encoding, seed: u64) -> Shape {
        match self.args.profile {
            Some(_) => Shape::Camera(Camera::new(encoding.kbps, seed)),
            None => Shape::Steady { pps: self.args.pps, burst: self.args.burst, size: self.args.size },
        }
    }

    /// How an audio track is sent.
    pub fn audio_shape(&self, seed: u64) -> Shape {
        Shape::Speech(Noise::new(seed))
    }

    /// Streams that each receiver should get: video and audio.
    pub fn wanted(&self) -> (usize, usize) {
        let (video, audio) = self.args.streams_of_a_room();
        (video.min(self.video_slots), audio.min(self.audio_slots))
    }

    /// Whether this receiver decrypts and reports.
    pub fn feeds(&self, receiver: usize) -> bool {
        self.args.feed > 0 && receiver.is_multiple_of(self.args.feed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(args: &str) -> Result<Plan> {
        Args::try_parse_from(std::iter::once("althing-load").chain(args.split_whitespace()))?.plan()
    }

    #[test]
    fn defaults_are_one_publisher_and_a_slot_for_each_stream() {
        let plan = plan("").unwrap();
        assert_eq!((plan.video_slots, plan.audio_slots, plan.wanted()), (1, 0, (1, 0)));
        assert_eq!(plan.codec, Codec::Vp8);
        assert!(plan.feeds(0) && plan.feeds(1));
    }

    #[test]
    fn slots_are_shared_by_audio_and_video_and_bound_what_is_wanted() {
        let plan = plan("--publishers 30 --audio --slots 20 --feed 10").unwrap();
        assert_eq!((plan.video_slots, plan.audio_slots, plan.wanted()), (10, 10, (10, 10)));
        assert!(plan.feeds(20) && !plan.feeds(21));
        let plan = super::tests::plan("--publishers 3 --tracks-per-publisher 2 --slots 20 --feed 0").unwrap();
        assert_eq!((plan.video_slots, plan.audio_slots, plan.wanted()), (20, 0, (6, 0)));
        assert!(!plan.feeds(0));
    }

    #[test]
    fn what_cannot_be_is_refused_by_the_name_of_the_option() {
        for (args, names) in [
            ("--publishers 0", "--publishers"),
            ("--receivers 0", "--receivers"),
            ("--tracks-per-publisher 0", "--audio"),
            ("--pps 0", "--pps"),
            ("--pps NaN", "--pps"),
            ("--burst 0", "--burst"),
            ("--size 2000", "--size"),
            ("--simulcast", "--profile"),
            ("--profile camera --ramp 1.3", "--ramp"),
            ("--ramp 1", "--ramp"),
            ("--rid h", "--simulcast"),
            ("--profile camera --simulcast --rid a/b", "--rid"),
            ("--slots 200", "receive lines"),
            ("--rooms 2", "--rooms"),
            ("--publishers 2 --rooms 2 --room a", "--room"),
            ("--target janus --slots 3", "--slots"),
            ("--join-rate 0", "--join-rate"),
            ("--delay --feed 0", "--delay"),
            ("--verify --feed 0", "--verify"),
            ("--verify --delay", "--verify"),
            ("--secs 0", "--secs"),
            ("--url ftp://x", "--url"),
            ("--url https://x", "--url"),
            ("--codec vp7", "--codec"),
        ] {
            let error = format!("{:#}", plan(args).unwrap_err());
            assert!(error.contains(names), "{args}: {error}");
        }
    }

    #[test]
    fn streams_are_those_of_a_room() {
        let plan = plan("--publishers 100 --rooms 10 --slots 1 --receivers 100").unwrap();
        assert_eq!((plan.video_slots, plan.wanted()), (1, (1, 0)));
        let plan = super::tests::plan("--publishers 10 --rooms 5 --audio").unwrap();
        assert_eq!((plan.video_slots, plan.audio_slots, plan.wanted()), (2, 2, (2, 2)));
    }

    #[test]
    fn simulcast_has_three_encodings() {
        let plan = plan("--profile camera --simulcast --rid m").unwrap();
        assert_eq!(plan.encodings.len(), 3);
        assert_eq!(plan.rid, "m".parse().ok());
        let plan = super::tests::plan("--profile camera4k --simulcast").unwrap();
        let sizes: Vec<_> = plan.encodings.iter().map(|e| (e.width, e.height)).collect();
        assert_eq!(sizes, [(960, 540), (1920, 1080), (3840, 2160)]);
    }
}
