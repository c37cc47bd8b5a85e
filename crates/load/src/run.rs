//! One run: everybody joins, it is measured, the results are written.

use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use net::clock;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::args::{Plan, Target};
use crate::janus::{self, Janus};
use crate::media::{Fleet, FleetHandle, Totals};
use crate::process::{self, Usage};
use crate::report::{Expectation, Report, round};
use crate::signal::{self, Part, Seen};

/// How often progress is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// When nothing arrives in two such times after sources have stopped, nothing is on its way…
const QUIET_INTERVAL: Duration = Duration::from_millis(25);
/// …and when something still does after so many, the server is behind, and that is measured. Together below a freeze.
const QUIET_LOOKS_MAX: usize = 7;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The (first) measurement delivered nearly everything.
    pub good: bool,
}

impl Outcome {
    /// 0, or 1 when more than 2 % did not arrive.
    pub fn exit_code(self) -> ExitCode {
        if self.good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Carries out a plan. Writes progress to standard error and results to standard output.
///
/// # Errors
/// The server cannot be reached, or not everybody could join.
pub fn run(plan: Plan) -> Result<Outcome> {
    // On a thread of its own because it may be pinned; all others inherit that.
    let core = plan.args.cpu;
    let worker = net::spawn_pinned("load", core, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(run_all(Arc::new(plan)))
    })?;
    worker.join().map_err(|_| anyhow::anyhow!("the generator panicked"))?
}

async fn run_all(plan: Arc<Plan>) -> Result<Outcome> {
    let mut run = Run::new(plan).await?;
    run.join_everybody().await?;
    run.measure_all().await
}

/// Where clients join.
enum Rooms {
    /// Clients are dealt to these in turn.
    Althing(Vec<String>),
    Janus(Janus),
}

impl Rooms {
    async fn new(plan: &Plan) -> Result<Self> {
        if plan.args.target == Target::Janus {
            return Ok(Self::Janus(Janus::new(plan).await?));
        }
        if let Some(room) = &plan.args.room {
            return Ok(Self::Althing(vec![room.clone()]));
        }
        let mut rooms = Vec::with_capacity(plan.args.rooms);
        for _ in 0..plan.args.rooms {
            rooms.push(signal::new_room(&plan.url).await?);
        }
        Ok(Self::Althing(rooms))
    }

    async fn join(
        &self,
        plan: &Plan,
        part: Part,
        ip: IpAddr,
        fleet: &FleetHandle,
        seen: Arc<Seen>,
    ) -> Result<()> {
        match self {
            Self::Janus(janus) => janus.join(plan, part, ip, fleet).await,
            Self::Althing(rooms) => {
                let (Part::Publisher(index) | Part::Receiver(index)) = part;
                let room = rooms.get(index % rooms.len().max(1)).context("no room")?;
                signal::join(plan, room, part, ip, fleet, seen).await
            }
        }
    }
}

/// How the receivers' joining went.
#[derive(Debug, Clone, Copy, Default)]
struct Joining {
    /// From the first join's begin until media flows on every slot.
    secs: f64,
    failed: usize,
    own_cpu: Duration,
    server_cpu: Option<Duration>,
}

struct Run {
    plan: Arc<Plan>,
    rooms: Arc<Rooms>,
    ip: IpAddr,
    fleets: Arc<[FleetHandle]>,
    seen: Arc<Seen>,
    rss_before_kib: Option<u64>,
    joining: Joining,
}

impl Run {
    async fn new(plan: Arc<Plan>) -> Result<Self> {
        if plan.args.target == Target::Janus {
            janus::wait_until_ready(&plan.url, plan.setup).await?;
        }
        let towards_server = plan.url.connect().await?.local_addr()?.ip();
        let ip = plan.args.ip.unwrap_or(towards_server);
        let rooms = Arc::new(Rooms::new(&plan).await?);
        if let Rooms::Althing(rooms) = &*rooms {
            eprintln!("rooms {}, own address {ip}", rooms.join(" "));
        }
        let fleets = (0..plan.args.threads).map(Fleet::spawn).collect::<Result<_, _>>()?;
        let seen = Arc::default();
        Ok(Self { plan, rooms, ip, fleets, seen, rss_before_kib: None, joining: Joining::default() })
    }

    async fn join_everybody(&mut self) -> Result<()> {
        let deadline = clock::now() + self.plan.setup;
        let begin = clock::now();
        self.join_all((0..self.plan.args.publishers).map(Part::Publisher)).await?;
        eprintln!(
            "{} publishers send after {:.1} s",
            self.plan.args.publishers,
            begin.elapsed().as_secs_f64()
        );
        let before = (self.server_usage()?, process::usage(std::process::id())?);
        self.rss_before_kib = before.0.map(|usage| usage.rss_kib);
        let first = clock::now();
        let receivers = (0..self.plan.args.receivers).map(Part::Receiver);
        let failed = match self.plan.args.join_rate {
            Some(rate) => self.join_at(rate, receivers, deadline).await?,
            None => self.join_all(receivers).await.map(|()| 0)?,
        };
        self.all_slots_flow(deadline, failed).await?;
        self.joining = Joining {
            secs: first.elapsed().as_secs_f64(),
            failed,
            own_cpu: process::usage(std::process::id())? - before.1,
            server_cpu: self.server_usage()?.zip(before.0).map(|(after, before)| after - before),
        };
        eprintln!(
            "{} receivers receive after {:.1} s",
            self.plan.args.receivers,
            begin.elapsed().as_secs_f64()
        );
        Ok(())
    }

    /// Joins clients, some at the same time: a place comes free when a client's media flows, so that nobody's join is
    /// slow because of our own crowd.
    async fn join_all(&self, parts: impl Iterator<Item = Part>) -> Result<()> {
        let places = Arc::new(Semaphore::new(self.plan.args.concurrency));
        let mut joins = JoinSet::new();
        for (index, part) in parts.enumerate() {
            let place = places.clone().acquire_owned().await?;
            let join = self.join(index, part);
            joins.spawn(async move {
                let _place = place;
                join.await
            });
            // An early failure ends the run instead of being repeated by everybody who follows.
            while let Some(result) = joins.try_join_next() {
                result??;
            }
        }
        while let Some(result) = joins.join_next().await {
            result??;
        }
        Ok(())
    }

    fn join(&self, index: usize, part: Part) -> impl Future<Output = Result<()>> + Send + use<> {
        let (plan, rooms, fleets) = (self.plan.clone(), self.rooms.clone(), self.fleets.clone());
        let (ip, seen) = (self.ip, self.seen.clone());
        async move {
            let fleet = fleets.get(index % fleets.len()).context("no thread")?;
            rooms.join(&plan, part, ip, fleet, seen).await.with_context(|| format!("{part:?}"))
        }
    }

    /// Joins so many clients a second, whatever becomes of those before. Returns how many failed.
    async fn join_at(
        &self,
        rate: f64,
        parts: impl Iterator<Item = Part>,
        deadline: Instant,
    ) -> Result<usize> {
        let mut joins = JoinSet::new();
        let begin = clock::now();
        for (index, part) in parts.enumerate() {
            let at = begin + Duration::from_secs_f64(index as f64 / rate);
            tokio::time::sleep_until(at.into()).await;
            joins.spawn(self.join(index, part));
        }
        let mut failed = 0;
        while !joins.is_empty() {
            match tokio::time::timeout_at(deadline.into(), joins.join_next()).await {
                Ok(Some(Ok(Ok(())))) => {}
                Ok(Some(Ok(Err(error)))) => {
                    if failed == 0 {
                        eprintln!("a join failed, further ones are only counted: {error:#}");
                    }
                    failed += 1;
                }
                Ok(Some(Err(panicked))) => return Err(panicked.into()),
                Ok(None) => break,
                Err(_) => {
                    failed += joins.len();
                    joins.abort_all();
                    break;
                }
            }
        }
        Ok(failed)
    }

    async fn all_slots_flow(&self, deadline: Instant, failed: usize) -> Result<()> {
        let (video, audio) = self.plan.wanted();
        let receivers = self.plan.args.receivers - failed;
        loop {
            let totals = self.totals().await?;
            let flowing = (totals.video.slots, totals.audio.slots);
            if flowing >= (video * receivers, audio * receivers) && flowing.1 >= audio * receivers {
                return Ok(());
            }
            ensure!(
                clock::now() < deadline,
                "only {} of {} video and {} of {} audio slots receive ({} bound, {} refused, {} clients failed)",
                flowing.0,
                video * receivers,
                flowing.1,
                audio * receivers,
                self.seen.bound.load(Ordering::Relaxed),
                self.seen.refused.load(Ordering::Relaxed),
                totals.failed
            );
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    async fn measure_all(&self) -> Result<Outcome> {
        let mut json = self.open_json()?;
        let mut pps = self.plan.args.pps;
        let mut first = None;
        let mut failures = 0;
        loop {
            tokio::time::sleep(self.plan.warm).await;
            let report = self.measure(pps).await?;
            println!("{}", report.table());
            if let Some(json) = &mut json {
                writeln!(json, "{}", serde_json::to_string(&report)?)?;
            }
            let good = report.is_good();
            let outcome = *first.get_or_insert(Outcome { good });
            let Some(factor) = self.plan.args.ramp else { return Ok(outcome) };
            // One more try at each rate: a shared machine has bad moments.
            failures = if good { 0 } else { failures + 1 };
            if failures > 1 {
                return Ok(outcome);
            }
            if good {
                pps *= factor;
                self.fleets.iter().for_each(|fleet| fleet.set_pps(pps));
            }
        }
    }

    async fn measure(&self, pps: f64) -> Result<Report> {
        let own = std::process::id();
        let before = self.quiet_totals().await?;
        let (server_before, own_before) = (self.server_usage()?, process::usage(own)?);
        let begin = clock::now();
        self.pause(false);
        tokio::time::sleep(self.plan.measure).await;
        let length = begin.elapsed();
        let after = self.quiet_totals().await?;
        let (server_after, own_after) = (self.server_usage()?, process::usage(own)?);
        self.pause(false);
        let args = &self.plan.args;
        let expectation = self.expectation(&after);
        let mut report = Report {
            label: args.label.clone(),
            publishers: args.publishers,
            receivers: args.receivers,
            pps_target: args.profile.is_none().then(|| round(pps, 1)),
            sockets_lost: self.seen.sockets_lost.load(Ordering::Relaxed),
            requests_refused: self.seen.refused.load(Ordering::Relaxed),
            announced: match self.seen.announced.load(Ordering::Relaxed) {
                0 => None,
                size => Some(format!("{}x{}", size >> 16, size & 0xffff)),
            },
            ..Report::default()
        };
        report.count(&mut after.since(&before), length, expectation);
        report.join_secs = round(self.joining.secs, 2);
        report.joins_failed = self.joining.failed;
        report.join_own_cpu_pct = cpu_pct(self.joining.own_cpu, self.joining.secs);
        report.join_server_cpu_pct = self.joining.server_cpu.map(|cpu| cpu_pct(cpu, self.joining.secs));
        report.rooms = args.rooms;
        report.own_cpu_pct = round(100.0 * (own_after - own_before).as_secs_f64() / length.as_secs_f64(), 1);
        if let (Some(before), Some(after)) = (server_before, server_after) {
            report.server(after - before, after.rss_kib, self.rss_before_kib.unwrap_or(0));
        }
        Ok(report)
    }

    fn expectation(&self, totals: &Totals) -> Expectation {
        if self.plan.args.simulcast {
            return Expectation::Gaps;
        }
        let tracks = self.plan.args.publishers * self.plan.args.tracks_per_publisher;
        Expectation::Tracks {
            video_copies: totals.video.slots as f64 / tracks.max(1) as f64,
            audio_copies: totals.audio.slots as f64 / self.plan.args.publishers as f64,
        }
    }

    /// What was counted, with nothing on its way: sources stop for a moment, far shorter than a freeze, so that what was
    /// sent and what arrived are of the same packets. The sources stay stopped.
    async fn quiet_totals(&self) -> Result<Totals> {
        // Who stands still is seen before everybody does; how late sources are, before they stop.
        let moving = self.totals().await?;
        self.pause(true);
        let mut totals = self.totals().await?;
        let mut quiet_looks = 0;
        for _ in 0..QUIET_LOOKS_MAX {
            tokio::time::sleep(QUIET_INTERVAL).await;
            let now = self.totals().await?;
            let arrived = |totals: &Totals| totals.video.packets + totals.audio.packets;
            quiet_looks = if arrived(&now) == arrived(&totals) { quiet_looks + 1 } else { 0 };
            totals = now;
            if quiet_looks == 2 {
                break;
            }
        }
        (totals.frozen_now, totals.late_max) = (moving.frozen_now, moving.late_max);
        Ok(totals)
    }

    fn pause(&self, paused: bool) {
        self.fleets.iter().for_each(|fleet| fleet.set_paused(paused));
    }

    async fn totals(&self) -> Result<Totals> {
        let mut totals = Totals::default();
        for fleet in self.fleets.iter() {
            totals += fleet.totals().await.context("a packet thread is gone")?;
        }
        Ok(totals)
    }

    fn server_usage(&self) -> Result<Option<Usage>> {
        let read = |pid| process::usage(pid).with_context(|| format!("--server-pid {pid}"));
        self.plan.args.server_pid.map(read).transpose()
    }

    fn open_json(&self) -> Result<Option<Box<dyn Write>>> {
        let Some(path) = &self.plan.args.json else { return Ok(None) };
        if path.as_os_str() == "-" {
            return Ok(Some(Box::new(std::io::stdout())));
        }
        let file = File::options().create(true).append(true).open(path);
        Ok(Some(Box::new(file.with_context(|| format!("--json {}", path.display()))?)))
    }
}

/// Share of one core, in percent.
fn cpu_pct(cpu: Duration, secs: f64) -> f64 {
    round(100.0 * cpu.as_secs_f64() / secs.max(1e-3), 1)
}
