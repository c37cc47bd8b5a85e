//! Starts the roles, wires them to the bus and the store, and stops them in order.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum::Router;
use axum_server::Handle;
use bus::Bus;
use gateway::{Gateway, Scheme};
use model::NodeId;
use prometheus_client::registry::Registry;
use store::Store;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Role};
use crate::data_dir::DataDir;
use crate::tls::{Source, Tls};
use crate::{addresses, listen, media_metrics};

/// This program on the bus. There is one program until a broker takes the in-process bus's place.
const NODE: NodeId = NodeId(1);

/// How long rooms may take to tell everybody and to write themselves down.
const ROOMS_STOP_WITHIN: Duration = Duration::from_secs(4);
/// How long sockets that a room has closed may take to go.
const SOCKETS_GO_WITHIN: Duration = Duration::from_secs(2);
/// How long requests that are being answered may take.
const REQUESTS_END_WITHIN: Duration = Duration::from_secs(1);

/// Where the program is reached.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    /// From this machine.
    pub(crate) here: Option<String>,
    /// From other devices.
    pub(crate) lan: Vec<String>,
    /// That were opened.
    pub(crate) listening: Vec<(Scheme, SocketAddr)>,
    /// Of media units.
    pub(crate) media_ports: Vec<u16>,
}

/// The running program.
#[derive(Debug)]
pub(crate) struct Program {
    addresses: Addresses,
    store: Store,
    gateway: Option<Gateway>,
    control: Option<JoinHandle<()>>,
    stop_control: CancellationToken,
    media: media_metrics::Shared,
    listeners: JoinSet<std::io::Result<()>>,
    handles: Vec<Handle<SocketAddr>>,
    /// What runs beside the roles; ends with the program.
    _background: JoinSet<()>,
    _tls: Option<Tls>,
}

/// Opened addresses.
#[derive(Debug, Default)]
struct Doors {
    http: Option<TcpListener>,
    https: Option<TcpListener>,
}

impl Program {
    /// Starts everything that the configuration asks for.
    pub(crate) async fn start(config: &Config, data: &DataDir) -> anyhow::Result<Self> {
        let interfaces = addresses::of_interfaces();
        let doors = Doors::open(config).await?;
        let listening = doors.addresses()?;
        let store = Store::open(&data.database()).await?;
        data.project_key.register(&store).await.context("the built-in project cannot be made known")?;

        let bus = Bus::new();
        let mut registry = Registry::default();
        let mut background = JoinSet::new();
        let mut program = Self {
            addresses: Addresses::of(config, &listening, &interfaces),
            store: store.clone(),
            gateway: None,
            control: None,
            stop_control: CancellationToken::new(),
            media: media_metrics::Shared::default(),
            listeners: JoinSet::new(),
            handles: Vec::new(),
            _background: JoinSet::new(),
            _tls: None,
        };
        if config.has(Role::Gateway) {
            let own_addresses = addresses::base_urls(&listening, &interfaces);
            let config = gateway_config(config, data, own_addresses);
            program.gateway = Some(Gateway::start(config, store.clone(), bus.clone(), &mut registry));
        }
        if config.has(Role::Control) {
            let config = control::Config {
                server: format!("althing {}", env!("CARGO_PKG_VERSION")),
                room_peers_per_unit: config.room_unit_peers.get(),
            };
            let rooms = control::run(bus.clone(), store.clone(), config, program.stop_control.clone());
            program.control = Some(tokio::spawn(rooms));
        }
        if config.has(Role::Media) {
            program.start_media(config, &bus, &interfaces)?;
            media_metrics::register(&mut registry, &program.media);
            #[cfg(debug_assertions)]
            background.spawn(fail_when_asked(program.media.clone())?);
        }
        let meet = match &program.gateway {
            Some(gateway) if config.has(Role::Meet) => {
                background.spawn(meet::housekeeping(store.clone()));
                meet::router(meet_config(config, data, gateway, listening), store, bus)
            }
            _ => Router::new(),
        };
        program.open(config, data, doors, &interfaces, Arc::new(registry), meet)?;
        program._background = background;
        Ok(program)
    }

    /// Where the program is reached.
    pub(crate) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    fn start_media(&mut self, config: &Config, bus: &Bus, interfaces: &[IpAddr]) -> anyhow::Result<()> {
        let config = media::Config {
            units: config.units,
            media_port: config.media_port,
            advertise: addresses::to_advertise(config, interfaces),
            ..media::Config::default()
        };
        let media = media::Media::start(&config, bus)?;
        self.addresses.media_ports = media.ports();
        *self.media.lock().unwrap_or_else(PoisonError::into_inner) = Some(media);
        Ok(())
    }

    /// Lets people in.
    fn open(
        &mut self,
        config: &Config,
        data: &DataDir,
        doors: Doors,
        interfaces: &[IpAddr],
        registry: Arc<Registry>,
        meet: Router,
    ) -> anyhow::Result<()> {
        let Some(gateway) = &self.gateway else { return Ok(()) };
        if let Some(listener) = doors.http {
            // Figures are for whoever runs the server: on the listener that is for this machine, or for a proxy.
            let router = gateway.router(Scheme::Http, Some(registry), meet.clone());
            let handle = Handle::new();
            self.handles.push(handle.clone());
            self.listeners.spawn(listen::serve(listener, None, router, handle));
        }
        if let Some(listener) = doors.https {
            let source = match &config.tls {
                Some(files) => Source::Own(files.clone()),
                None => Source::SelfSigned(data.tls()),
            };
            let tls = Tls::start(source, interfaces)?;
            let router = gateway.router(Scheme::Https, None, meet);
            let handle = Handle::new();
            self.handles.push(handle.clone());
            self.listeners.spawn(listen::serve(listener, Some(tls.config.clone()), router, handle));
            self._tls = Some(tls);
        }
        Ok(())
    }

    /// Returns when something that must run has ended by itself.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        let control = async {
            match &mut self.control {
                Some(control) => control.await,
                None => pending().await,
            }
        };
        tokio::select! {
            ended = control => {
                self.control = None;
                anyhow!("the control role ended: {}", ended.map_or_else(|e| e.to_string(), |()| "by itself".to_owned()))
            }
            Some(ended) = self.listeners.join_next() => match ended {
                Ok(Err(error)) => anyhow::Error::new(error).context("a listener failed"),
                Ok(Ok(())) => anyhow!("a listener ended by itself"),
                Err(error) => anyhow::Error::new(error).context("a listener failed"),
            },
            else => pending().await,
        }
    }

    /// Stops in order: nobody comes in, rooms tell everybody to come back and are written down, sockets go, media ends.
    pub(crate) async fn stop(&mut self) {
        if let Some(gateway) = &self.gateway {
            gateway.refuse_new();
        }
        self.stop_control.cancel();
        if let Some(control) = self.control.take()
            && timeout(ROOMS_STOP_WITHIN, control).await.is_err()
        {
            tracing::warn!("rooms took too long to stop");
        }
        if let Some(gateway) = &self.gateway {
            let left = gateway.close(SOCKETS_GO_WITHIN).await;
            if left > 0 {
                tracing::warn!(left, "clients did not close their sockets");
            }
        }
        for handle in &self.handles {
            handle.graceful_shutdown(Some(REQUESTS_END_WITHIN));
        }
        let listeners = std::mem::take(&mut self.listeners);
        let _ = timeout(2 * REQUESTS_END_WITHIN, listeners.join_all()).await;
        let media = self.media.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(media) = media {
            let _ = tokio::task::spawn_blocking(|| media.stop()).await;
        }
        self.store.close().await;
    }
}

impl Doors {
    async fn open(config: &Config) -> Result<Self, listen::ListenError> {
        let mut doors = Self::default();
        if config.has(Role::Gateway) {
            if let Some(address) = config.http {
                doors.http = Some(listen::bind(address, "http").await?);
            }
            if let Some(address) = config.https {
                doors.https = Some(listen::bind(address, "https").await?);
            }
        }
        Ok(doors)
    }

    /// What was really opened: a port 0 has become a real one.
    fn addresses(&self) -> std::io::Result<Vec<(Scheme, SocketAddr)>> {
        let mut addresses = Vec::new();
        for (scheme, listener) in [(Scheme::Https, &self.https), (Scheme::Http, &self.http)] {
            if let Some(listener) = listener {
                addresses.push((scheme, listener.local_addr()?));
            }
        }
        Ok(addresses)
    }
}

impl Addresses {
    fn of(config: &Config, listening: &[(Scheme, SocketAddr)], interfaces: &[IpAddr]) -> Self {
        let local = listening.iter().rev().find(|(_, a)| a.ip().is_loopback() || a.ip().is_unspecified());
        let here = local.map(|(scheme, address)| match scheme {
            Scheme::Http => format!("http://localhost:{}", address.port()),
            Scheme::Https => format!("https://localhost:{}", address.port()),
        });
        let lan = lan(config, listening, interfaces);
        Self { here, lan, listening: listening.to_vec(), media_ports: Vec::new() }
    }
}

/// Addresses for other devices: the public one where there is one; else those of this machine, over HTTPS if possible,
/// without which browsers give no camera.
fn lan(config: &Config, listening: &[(Scheme, SocketAddr)], interfaces: &[IpAddr]) -> Vec<String> {
    if let Some(url) = &config.public_url {
        return vec![url.to_string()];
    }
    let open = listening.iter().find(|(_, address)| !address.ip().is_loopback());
    let urls =
        open.map(|open| addresses::base_urls(std::slice::from_ref(open), interfaces)).unwrap_or_default();
    let is_for_others = |url: &String| interfaces.iter().any(|ip| url.contains(&ip.to_string()));
    urls.iter().map(ToString::to_string).filter(is_for_others).collect()
}

fn gateway_config(config: &Config, data: &DataDir, own_addresses: Vec<gateway::BaseUrl>) -> gateway::Config {
    gateway::Config {
        node: NODE,
        public_url: config.public_url.clone(),
        own_addresses,
        trust_forwarded: config.trust_forwarded,
        server_secret: data.server_secret.clone(),
    }
}

fn meet_config(
    config: &Config,
    data: &DataDir,
    gateway: &Gateway,
    listening: Vec<(Scheme, SocketAddr)>,
) -> meet::Config {
    let caller = gateway.caller();
    let config = config.clone();
    meet::Config {
        project: data.project_key.project_id,
        version: env!("CARGO_PKG_VERSION"),
        lan_addresses: Arc::new(move || lan(&config, &listening, &addresses::of_interfaces())),
        caller: Arc::new(move |parts| {
            let caller = caller(parts);
            meet::Caller { base_url: caller.base_url.to_string(), address: caller.address }
        }),
    }
}
/// Lets a test make a media unit fail, by a signal.
#[cfg(debug_assertions)]
fn fail_when_asked(media: media_metrics::Shared) -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut signal = crate::signals::fail()?;
    Ok(async move {
        while signal.recv().await.is_some() {
            if let Some(media) = media.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
                media.fail_busiest_unit();
            }
        }
    })
}
