/** Who is there, what they publish, who speaks: the server's snapshots. */
import type { ServerMessage } from '@althing/wire';
import type { Work } from './model';

/** More recent speakers than any layout shows large. */
const RECENT_SPEAKERS_MAX = 16;

type Of<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;

export function onRoster(w: Work, message: Of<'roster_update'>): void {
  w.s.roster = message.participants;
  w.s.rosterFresh = true;
}

export function onMembers(w: Work, message: Of<'members'>): void {
  w.s.members = message.members;
}

export function onPublished(w: Work, message: Of<'published'>): void {
  w.s.publishedByMid = message.streams;
}

export function onSpeakers(w: Work, message: Of<'speakers'>): void {
  w.s.speakers = message.speakers.map((s) => ({ participantId: s.participant_id, level: s.level }));
  const self = w.s.credentials?.participantId;
  const now = w.s.speakers.map((s) => s.participantId).filter((id) => id !== self);
  // Whoever goes on speaking keeps the place; a new voice comes to the front.
  const fresh = now.filter((id) => !w.s.recentSpeakers.slice(0, now.length).includes(id));
  if (fresh.length === 0) return;
  const others = w.s.recentSpeakers.filter((id) => !fresh.includes(id));
  w.s.recentSpeakers = [...fresh, ...others].slice(0, RECENT_SPEAKERS_MAX);
}
