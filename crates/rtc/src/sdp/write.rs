//! Writing a session description. What [`SessionDescription::parse`] reads of the result is the description again.

use std::fmt;

use super::attribute::Transport;
use super::{MediaDescription, SessionDescription};

impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 9429 §5.2.1 for these lines.
        line(f, "v=0", "")?;
        line(f, "o=-", format_args!(" {} {} IN IP4 127.0.0.1", self.session_id, self.session_version))?;
        line(f, "s=-", "")?;
        line(f, "t=0 0", "")?;
        for mids in &self.bundles {
            f.write_str("a=group:BUNDLE")?;
            for mid in mids {
                write!(f, " {mid}")?;
            }
            f.write_str("\r\n")?;
        }
        flag(f, "extmap-allow-mixed", self.extmap_allow_mixed)?;
        flag(f, "ice-lite", self.ice_lite)?;
        write!(f, "{}", self.transport)?;
        if let Some(direction) = self.direction {
            line(f, "a=", direction)?;
        }
        self.media.iter().try_for_each(|media| write!(f, "{media}"))
    }
}

impl fmt::Display for MediaDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let formats = self.formats.join(" ");
        line(f, "m=", format_args!("{} {} {} {formats}", self.media.as_str(), self.port, self.protocol))?;
        line(f, "c=", "IN IP4 0.0.0.0")?;
        self.fmt_transport(f)?;
        lines(f, "extmap", &self.extmaps)?;
        flag(f, "extmap-allow-mixed", self.extmap_allow_mixed)?;
        if let Some(direction) = self.direction {
            line(f, "a=", direction)?;
        }
        lines(f, "msid", &self.msids)?;
        lines(f, "content", &self.content)?;
        flag(f, "rtcp-mux", self.rtcp_mux)?;
        flag(f, "rtcp-rsize", self.rtcp_reduced_size)?;
        lines(f, "rtpmap", &self.rtpmaps)?;
        lines(f, "rtcp-fb", &self.feedback)?;
        lines(f, "fmtp", &self.parameters)?;
        lines(f, "rid", &self.rids)?;
        lines(f, "simulcast", &self.simulcast)?;
        self.fmt_image_sizes(f)?;
        self.fmt_ssrcs(f)
    }
}

impl MediaDescription {
    fn fmt_transport(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for candidate in &self.candidates {
            line(f, "a=", candidate)?;
        }
        flag(f, "end-of-candidates", self.end_of_candidates)?;
        write!(f, "{}", self.transport)?;
        lines(f, "mid", self.mid)?;
        flag(f, "bundle-only", self.bundle_only)
    }

    fn fmt_image_sizes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.image_sizes.is_empty() {
            return Ok(());
        }
        f.write_str("a=imageattr:* send")?;
        for (width, height) in &self.image_sizes {
            write!(f, " [x={width},y={height}]")?;
        }
        f.write_str("\r\n")
    }

    fn fmt_ssrcs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.ssrc_groups {
            write!(f, "a=ssrc-group:{}", group.semantics.as_str())?;
            for ssrc in &group.ssrcs {
                write!(f, " {ssrc}")?;
            }
            f.write_str("\r\n")?;
        }
        for ssrc in &self.ssrcs {
            if let Some(cname) = &ssrc.cname {
                line(f, "a=ssrc:", format_args!("{} cname:{cname}", ssrc.ssrc))?;
            }
            if let Some(msid) = &ssrc.msid {
                line(f, "a=ssrc:", format_args!("{} msid:{msid}", ssrc.ssrc))?;
            }
            if ssrc.cname.is_none() && ssrc.msid.is_none() {
                line(f, "a=ssrc:", ssrc.ssrc)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lines(f, "ice-ufrag", &self.ufrag)?;
        lines(f, "ice-pwd", &self.pwd)?;
        if !self.ice_options.is_empty() {
            line(f, "a=ice-options:", self.ice_options.join(" "))?;
        }
        lines(f, "fingerprint", &self.fingerprints)?;
        lines(f, "setup", self.setup)
    }
}

fn line(f: &mut fmt::Formatter<'_>, start: &str, rest: impl fmt::Display) -> fmt::Result {
    write!(f, "{start}{rest}\r\n")
}

fn flag(f: &mut fmt::Formatter<'_>, name: &str, is_set: bool) -> fmt::Result {
    if is_set { line(f, "a=", name) } else { Ok(()) }
}

/// One line for each value.
fn lines<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    values: impl IntoIterator<Item = T>,
) -> fmt::Result {
    values.into_iter().try_for_each(|value| write!(f, "a={name}:{value}\r\n"))
}
