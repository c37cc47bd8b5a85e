//! What one participant publishes, and the ids that its streams keep.

use std::collections::VecDeque;

use model::unit::PublishedMedia;
use model::{Codec, Layer, MediaKind, Mid, Semantic, StreamId, limits};
use wire::server::{RosterStream, StreamDemand};

use crate::SavedStream;

/// A published stream.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) mid: Mid,
    pub(crate) id: StreamId,
    pub(crate) kind: MediaKind,
    pub(crate) semantic: Semantic,
    pub(crate) codec: Codec,
    pub(crate) layers: Vec<Layer>,
    /// Its sender muted it.
    pub(crate) muted: bool,
    /// What the unit was told of `muted`; a unit starts with false.
    pub(crate) mute_sent: bool,
    /// What of it is looked at; `None` until the unit says so: everything is to be sent.
    pub(crate) demand: Option<StreamDemand>,
}

impl Stream {
    pub(crate) fn to_roster(&self) -> RosterStream {
        match self.kind {
            MediaKind::Audio => RosterStream::Audio { codec: self.codec, semantic: self.semantic },
            MediaKind::Video => RosterStream::Video {
                codec: self.codec,
                semantic: self.semantic,
                layers: self.layers.clone(),
            },
        }
    }

    fn saved(&self) -> SavedStream {
        let Self { mid, id, kind, semantic, muted, .. } = *self;
        SavedStream { mid, kind, semantic, id, muted }
    }
}

/// The streams of one participant.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    /// In the order of the m-lines, at most [`limits::PUBLISHED_STREAMS_MAX`].
    published: Vec<Stream>,
    /// Streams that are not published now, oldest first: if the same m-line comes again (after a reconnection or a
    /// restart), it is the same stream. At most [`limits::MEDIA_LINES_MAX`], as many as a session can have m-lines.
    dormant: VecDeque<SavedStream>,
}

impl Streams {
    pub(crate) fn restored(saved: &[SavedStream]) -> Self {
        let dormant = saved.iter().copied().take(limits::MEDIA_LINES_MAX).collect();
        Self { published: Vec::new(), dormant }
    }

    pub(crate) fn saved(&self) -> Vec<SavedStream> {
        self.dormant.iter().copied().chain(self.published.iter().map(Stream::saved)).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.published.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.published.iter_mut()
    }

    pub(crate) fn get(&self, id: StreamId) -> Option<&Stream> {
        self.published.iter().find(|s| s.id == id)
    }

    pub(crate) fn by_mid_mut(&mut self, mid: Mid) -> Option<&mut Stream> {
        self.published.iter_mut().find(|s| s.mid == mid)
    }

    /// Takes over what an answered offer says is published now. Gives how many m-lines are ignored because they are
    /// beyond the most that one participant may publish.
    pub(crate) fn apply(
        &mut self,
        media: Vec<PublishedMedia>,
        new_id: &mut dyn FnMut() -> StreamId,
    ) -> usize {
        let ignored = media.len().saturating_sub(limits::PUBLISHED_STREAMS_MAX);
        let mut former = std::mem::take(&mut self.published);
        for media in media.into_iter().take(limits::PUBLISHED_STREAMS_MAX) {
            let same = |s: &Stream| (s.mid, s.kind, s.semantic) == (media.mid, media.kind, media.semantic);
            let stream = match former.iter().position(same) {
                Some(index) => renewed(former.swap_remove(index), media),
                None => self.wake(media, new_id),
            };
            self.published.push(stream);
        }
        former.iter().for_each(|s| self.remember(s.saved()));
        ignored
    }

    /// The unit forgot the participant, so it has to be told of mutes again, and will say anew what is looked at.
    pub(crate) fn forget_sent(&mut self) {
        for stream in &mut self.published {
            stream.mute_sent = false;
            stream.demand = None;
        }
    }

    fn wake(&mut self, media: PublishedMedia, new_id: &mut dyn FnMut() -> StreamId) -> Stream {
        let same = |s: &SavedStream| (s.mid, s.kind, s.semantic) == (media.mid, media.kind, media.semantic);
        let known = self.dormant.iter().position(same).and_then(|index| self.dormant.remove(index));
        let (id, muted) = known.map_or_else(|| (new_id(), false), |s| (s.id, s.muted));
        let PublishedMedia { mid, kind, codec, semantic, layers } = media;
        Stream { mid, id, kind, semantic, codec, layers, muted, mute_sent: false, demand: None }
    }

    fn remember(&mut self, stream: SavedStream) {
        if self.dormant.len() >= limits::MEDIA_LINES_MAX {
            self.dormant.pop_front();
        }
        self.dormant.push_back(stream);
    }
}

/// A stream that goes on. Sizes learned from its packets count more than an offer that names none.
fn renewed(mut stream: Stream, media: PublishedMedia) -> Stream {
    let learned = std::mem::replace(&mut stream.layers, media.layers);
    if !learned.iter().map(|l| l.rid).eq(stream.layers.iter().map(|l| l.rid)) {
        // Other encodings are another stream to the unit.
        stream.demand = None;
    }
    for layer in stream.layers.iter_mut().filter(|l| l.width == 0 || l.height == 0) {
        if let Some(known) = learned.iter().find(|l| l.rid == layer.rid) {
            layer.clone_from(known);
        }
    }
    stream.codec = media.codec;
    stream
}
