/** Chat: history, messages on their way, their echoes. */
import type { ChatMessage } from '@althing/wire';
import { CHAT_CHARS_MAX } from '@althing/wire';
import type { ChatEntry } from '../types';
import type { Work } from './model';
import { emit, send } from './model';

/** Entries kept here. A meeting of a day with much chat has some thousands; the oldest go first. */
const ENTRIES_MAX = 2_000;

/** Writes a message; without a socket it is kept and sent after the reconnect. */
export function onSend(w: Work, text: string, to: string | null, atMs: number): void {
  const self = w.s.credentials?.participantId;
  const trimmed = cut(text.trim());
  if (trimmed === '' || self === undefined || w.s.end !== null) return;
  const key = `own${w.s.nextId}`;
  w.s.nextId += 1;
  const entry: ChatEntry = {
    number: null,
    key,
    from: self,
    name: w.s.profile.name,
    to,
    text: trimmed,
    atMs,
    own: true,
    delivery: 'sending',
  };
  w.s.chat = keep([...w.s.chat, entry]);
  setPending(w, key, w.s.socket.phase === 'up' ? transmit(w, entry) : null);
}

/** A message, the echo of an own one included: that names it by `ref`. */
export function onMessage(w: Work, message: ChatMessage, ref: string | null): void {
  const echoed = [...w.s.chatPending].find(([, id]) => id !== null && id === ref)?.[0];
  take(w, message, true, echoed);
}

/** History of `welcome`, after a first join or a reconnect: what was missed is added, what was on its way is settled. */
export function onHistory(w: Work, history: readonly ChatMessage[], rejoined: boolean): void {
  for (const message of history) take(w, message, rejoined, undefined);
  for (const [key, id] of w.s.chatPending) {
    const entry = w.s.chat.find((e) => e.key === key);
    if (entry === undefined) continue;
    if (id === null) setPending(w, key, transmit(w, entry));
    else fail(w, key);
  }
}

/** An `error` for the message with this id. Gives whether it was one of chat. */
export function onRefused(w: Work, id: string): boolean {
  for (const [key, sent] of w.s.chatPending) {
    if (sent !== id) continue;
    fail(w, key);
    return true;
  }
  return false;
}

/** Nobody will say any more whether these arrived. */
export function failPendingChat(w: Work): void {
  for (const key of w.s.chatPending.keys()) fail(w, key);
}

function transmit(w: Work, entry: ChatEntry): string {
  return send(w, { type: 'chat', text: entry.text, ...(entry.to === null ? {} : { to: entry.to }) });
}

function take(w: Work, message: ChatMessage, tell: boolean, echoed: string | undefined): void {
  if (w.s.chat.some((e) => e.number === message.number)) return;
  const own = message.from === w.s.credentials?.participantId;
  const pending = own ? findPending(w, message.text, echoed) : undefined;
  if (pending !== undefined) {
    w.s.chat = w.s.chat.filter((e) => e !== pending);
    setPending(w, pending.key, undefined);
  }
  const entry: ChatEntry = {
    number: message.number,
    key: pending?.key ?? `n${message.number}`,
    from: message.from,
    name: message.name,
    to: message.to,
    text: message.text,
    atMs: message.at_ms,
    own,
    delivery: 'sent',
  };
  w.s.chat = keep(insert(w.s.chat, entry));
  if (!own && tell) emit(w, 'chat', { message: entry });
}

/** The message that came back: the one that the echo names, else (in a history) the oldest sent with that text. */
function findPending(w: Work, text: string, echoed: string | undefined): ChatEntry | undefined {
  const named = w.s.chat.find((e) => e.key === echoed);
  return named ?? w.s.chat.find((e) => e.text === text && (w.s.chatPending.get(e.key) ?? null) !== null);
}

function fail(w: Work, key: string): void {
  setPending(w, key, undefined);
  w.s.chat = w.s.chat.map((e) => (e.key === key ? { ...e, delivery: 'failed' as const } : e));
}

function setPending(w: Work, key: string, id: string | null | undefined): void {
  const pending = new Map(w.s.chatPending);
  if (id === undefined) pending.delete(key);
  else pending.set(key, id);
  w.s.chatPending = pending;
}

/** Numbered entries stay in the order of their numbers; those without one stay behind. */
function insert(chat: readonly ChatEntry[], entry: ChatEntry): readonly ChatEntry[] {
  const number = entry.number ?? Number.POSITIVE_INFINITY;
  const at = chat.findIndex((e) => (e.number ?? Number.POSITIVE_INFINITY) > number);
  return at < 0 ? [...chat, entry] : [...chat.slice(0, at), entry, ...chat.slice(at)];
}

function keep(chat: readonly ChatEntry[]): readonly ChatEntry[] {
  return chat.length > ENTRIES_MAX ? chat.slice(-ENTRIES_MAX) : chat;
}

/** The limit is in Unicode code points, as the server counts. */
function cut(text: string): string {
  return text.length <= CHAT_CHARS_MAX ? text : Array.from(text).slice(0, CHAT_CHARS_MAX).join('');
}
