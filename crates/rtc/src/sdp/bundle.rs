//! Which m-lines share the transport (RFC 8843), and what the offerer says of that transport.

use model::Mid;

use super::attribute::Transport;
use super::{Fingerprint, MediaDescription, SdpError, SessionDescription, Setup};

/// The m-lines on the one transport that we have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bundle {
    /// Their places, in the order in which the offer names them. The first carries the transport.
    pub(super) members: Vec<usize>,
    /// The place of the first m-line that the group names, even if we reject it (RFC 8843 §7.2.1). Its transport is that
    /// of bundle-only m-lines, which need not have attributes of their own.
    pub(super) tagged: Option<usize>,
    /// Whether the members are a group of the offer. A lone m-line without one is answered without one.
    pub(super) is_group: bool,
}

impl Bundle {
    /// The first group with an m-line that can be served; without such a group, the first m-line that can be, alone.
    pub(super) fn choose(
        offer: &SessionDescription,
        can_be_served: impl Fn(usize) -> bool,
    ) -> Result<Self, SdpError> {
        // Only offered mids count here: a group cannot mean the name that we gave to an m-line without one.
        let place_of = |mid: &Mid| {
            let place = offer.media.iter().position(|media| media.mid == Some(*mid));
            place.ok_or(SdpError::BundleUnknownMid { mid: *mid })
        };
        for group in &offer.bundles {
            let places = group.iter().map(place_of).collect::<Result<Vec<_>, _>>()?;
            let mut members = Vec::new();
            for place in places.iter().copied().filter(|place| can_be_served(*place)) {
                if !members.contains(&place) {
                    members.push(place);
                }
            }
            if !members.is_empty() {
                return Ok(Self { members, tagged: places.first().copied(), is_group: true });
            }
        }
        // Bundle-only m-lines outside of every group have no address.
        let lone =
            offer.media.iter().enumerate().find(|(place, media)| media.port != 0 && can_be_served(*place));
        Ok(Self {
            members: lone.map(|(place, _)| place).into_iter().collect(),
            tagged: None,
            is_group: false,
        })
    }

    /// The m-line that carries the transport in our answer.
    pub(super) fn carrier(&self) -> Option<usize> {
        self.members.first().copied()
    }
}

/// How to reach the offerer and know it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteTransport {
    /// The ICE user name fragment. With the password, a new one restarts ICE (RFC 8839 §4.4.1.1.1).
    pub ufrag: String,
    /// The ICE password.
    pub pwd: String,
    /// The certificate has at least one of these hashes, all of trusted algorithms.
    pub fingerprints: Vec<Fingerprint>,
    /// `actpass` or `active`: the offerer starts the DTLS handshake in both cases, as we answer `passive`.
    pub setup: Setup,
    /// `a=ice-options`.
    pub ice_options: Vec<String>,
}

/// Reads the transport of a bundle: each attribute from the m-line that carries the transport in the answer, else from
/// the one that the offerer tagged, else from the session.
pub(super) fn remote_transport(
    offer: &SessionDescription,
    bundle: &Bundle,
) -> Result<RemoteTransport, SdpError> {
    let index = bundle.carrier().or(bundle.tagged).unwrap_or(0);
    let of =
        |place: Option<usize>| place.and_then(|place| offer.media.get(place)).map(|media| &media.transport);
    let sources = [of(bundle.carrier()), of(bundle.tagged), Some(&offer.transport)];
    let sources = || sources.into_iter().flatten();

    let credentials = |transport: &Transport| Some((transport.ufrag.clone()?, transport.pwd.clone()?));
    let (ufrag, pwd) = sources().find_map(credentials).ok_or(SdpError::IceCredentialsMissing { index })?;

    let hashes = sources().map(|transport| &transport.fingerprints).find(|hashes| !hashes.is_empty());
    let hashes = hashes.ok_or(SdpError::FingerprintMissing { index })?;
    let fingerprints: Vec<Fingerprint> =
        hashes.iter().filter(|print| print.hash.is_trusted()).cloned().collect();
    if fingerprints.is_empty() {
        return Err(SdpError::FingerprintUntrusted { index });
    }

    // RFC 4145 §4: without a=setup the offerer is the active one.
    let setup = sources().find_map(|transport| transport.setup).unwrap_or(Setup::Active);
    if matches!(setup, Setup::Passive | Setup::HoldConn) {
        return Err(SdpError::Setup { index, setup });
    }
    let ice_options = sources().map(|transport| &transport.ice_options).find(|options| !options.is_empty());
    Ok(RemoteTransport {
        ufrag,
        pwd,
        fingerprints,
        setup,
        ice_options: ice_options.cloned().unwrap_or_default(),
    })
}

/// The candidates of the transport. Those of other m-lines are of transports that nobody will use.
pub(super) fn remote_candidates(offer: &SessionDescription, bundle: &Bundle) -> Vec<String> {
    let places = [bundle.carrier(), bundle.tagged];
    let media = places.into_iter().flatten().filter_map(|place| offer.media.get(place));
    media
        .map(|media| &media.candidates)
        .find(|candidates| !candidates.is_empty())
        .cloned()
        .unwrap_or_default()
}

/// The mid of each m-line: the offered one, or its index where none is offered (then it stays inside).
pub(super) fn mids(media: &[MediaDescription]) -> Result<Vec<Mid>, SdpError> {
    let mut mids: Vec<Mid> = Vec::with_capacity(media.len());
    for (index, line) in media.iter().enumerate() {
        let Some(mid) = line.mid else {
            let mid = index.to_string().parse().map_err(|_| SdpError::MidMissing { index })?;
            if media.iter().any(|other| other.mid == Some(mid)) {
                return Err(SdpError::MidMissing { index });
            }
            mids.push(mid);
            continue;
        };
        if let Some(first) = mids.iter().position(|known| *known == mid) {
            return Err(SdpError::MidTwice { mid, first, second: index });
        }
        mids.push(mid);
    }
    Ok(mids)
}
