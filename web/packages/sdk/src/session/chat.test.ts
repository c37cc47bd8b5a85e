import type { ChatMessage } from '@althing/wire';
import { describe, expect, it } from 'vitest';
import { SELF, Script } from './script';

function message(number: number, text: string, from = 'a'): ChatMessage {
  return { number, from, name: from.toUpperCase(), to: null, text, at_ms: number };
}

function write(s: Script, text: string, to: string | null = null): Script {
  return s.event({ type: 'send_chat', text, to, atMs: 1 });
}

function reconnect(s: Script, chat: ChatMessage[]): Script {
  s.closed(1006).wait(1_000).event({ type: 'socket_open', id: s.state.socket.id });
  s.answer('authenticate', { type: 'success', reason: '' });
  return s.hear({ type: 'welcome', server: '', participant_id: SELF, grace_ms: 0, virtual_producers: {}, chat });
}

describe('chat', () => {
  it('shows an own message at once and settles it by the echo', () => {
    const s = write(new Script().connect(), '  hello ');
    expect(s.sent('chat')).toEqual([{ type: 'chat', text: 'hello' }]);
    expect(s.view.chat).toMatchObject([{ text: 'hello', delivery: 'sending', own: true, name: 'Me' }]);
    const key = s.view.chat[0]?.key;
    s.hear({ type: 'chat_message', message: message(1, 'hello', SELF) });
    expect(s.view.chat).toMatchObject([{ number: 1, delivery: 'sent', key }]);
    expect(s.told()).not.toContain('chat');
  });

  it('tells of others', () => {
    const s = new Script().connect().hear({ type: 'chat_message', message: message(1, 'hi') });
    expect(s.told()).toContain('chat');
    s.hear({ type: 'chat_message', message: message(1, 'hi') });
    expect(s.view.chat).toHaveLength(1);
  });

  it('is in the order of the server', () => {
    const s = new Script().connect();
    for (const n of [2, 1, 3]) s.hear({ type: 'chat_message', message: message(n, String(n)) });
    expect(s.view.chat.map((e) => e.text)).toEqual(['1', '2', '3']);
  });

  it('two equal messages have an echo each, told apart by what it answers', () => {
    const s = write(write(new Script().connect(), 'ok'), 'ok');
    const keys = s.view.chat.map((e) => e.key);
    s.answer('chat', { type: 'chat_message', message: message(1, 'ok', SELF) });
    expect(s.view.chat.map((e) => [e.delivery, e.key])).toEqual([
      ['sent', keys[1]],
      ['sending', keys[0]],
    ]);
  });

  it('says what was refused', () => {
    const s = write(new Script().connect(), 'x');
    s.answer('chat', { type: 'error', error_type: 'resource_unavailable', error_message: 'slow down', detail: {} });
    expect(s.view.chat).toMatchObject([{ delivery: 'failed' }]);
    expect(s.told()).toContain('error');
  });

  it('to one, cut to the limit, never empty', () => {
    const s = write(write(new Script().connect(), '   '), '🙂'.repeat(4_001), 'a');
    expect(s.sent('chat')).toEqual([{ type: 'chat', text: '🙂'.repeat(4_000), to: 'a' }]);
  });

  it('gets what was missed, without news at the first join', () => {
    const first = new Script().join();
    first.event({ type: 'socket_open', id: 1 }).answer('authenticate', { type: 'success', reason: '' });
    const welcome = {
      type: 'welcome',
      server: '',
      participant_id: SELF,
      grace_ms: 0,
      virtual_producers: {},
      chat: [message(1, 'old')],
    } as const;
    first.hear({ ...welcome, chat: [...welcome.chat] });
    expect(first.view.chat).toHaveLength(1);
    expect(first.told()).not.toContain('chat');
    reconnect(first.hear({ type: 'members', members: {} }), [message(1, 'old'), message(2, 'missed')]);
    expect(first.view.chat.map((e) => e.text)).toEqual(['old', 'missed']);
    expect(first.told()).toContain('chat');
  });

  it('written while the socket is away is sent after the reconnect; what was on its way is settled', () => {
    const s = write(write(new Script().connect(), 'arrived'), 'lost').closed(1006);
    write(s, 'later').forget();
    s.wait(1_000).event({ type: 'socket_open', id: s.state.socket.id });
    s.answer('authenticate', { type: 'success', reason: '' });
    s.hear({
      type: 'welcome',
      server: '',
      participant_id: SELF,
      grace_ms: 0,
      virtual_producers: {},
      chat: [message(1, 'arrived', SELF)],
    });
    expect(s.view.chat.map((e) => [e.text, e.delivery])).toEqual([
      ['arrived', 'sent'],
      ['lost', 'failed'],
      ['later', 'sending'],
    ]);
    expect(s.sent('chat')).toEqual([{ type: 'chat', text: 'later' }]);
  });
});
