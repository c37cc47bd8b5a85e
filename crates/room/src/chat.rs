//! Chat, in memory only: it goes when the room goes.

use std::collections::VecDeque;

use model::{ParticipantId, limits};
use wire::server::ChatMessage;

/// The newest messages of a room.
#[derive(Default)]
pub(crate) struct Chat {
    history: VecDeque<ChatMessage>,
    last_number: u32,
}

impl Chat {
    /// Goes on after the last number of a former life of the room, whose messages are gone.
    pub(crate) fn continued(last_number: u32) -> Self {
        Self { history: VecDeque::new(), last_number }
    }

    pub(crate) fn last_number(&self) -> u32 {
        self.last_number
    }

    /// Numbers and keeps a message; the oldest one goes when there are too many.
    pub(crate) fn add(&mut self, mut message: ChatMessage) -> ChatMessage {
        self.last_number = self.last_number.saturating_add(1);
        message.number = self.last_number;
        if self.history.len() >= limits::CHAT_HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back(message.clone());
        message
    }

    /// What this participant may read, oldest first.
    pub(crate) fn readable_by(&self, reader: ParticipantId) -> Vec<ChatMessage> {
        let may_read = |m: &&ChatMessage| m.to.is_none() || m.to == Some(reader) || m.from == reader;
        self.history.iter().filter(may_read).cloned().collect()
    }
}
