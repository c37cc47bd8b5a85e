import { describe, expect, it } from 'vitest';
import { AlthingError } from '../errors';
import { backoffMs } from './backoff';
import { Script } from './script';

describe('joining', () => {
  it('authenticates, says hello, and resolves', () => {
    const s = new Script().join();
    expect(s.view.connection).toBe('connecting');
    expect(s.did('open_socket')).toEqual([{ do: 'open_socket', id: 1, url: 'ws://server' }]);
    s.authenticate();
    expect(s.said.slice(0, 2).map((m) => m.message.type)).toEqual(['authenticate', 'hello']);
    expect(s.did('settle_join')).toEqual([{ do: 'settle_join', error: null }]);
    expect(s.view.socket).toBe('connected');
    expect(s.view.connection).toBe('connecting');
    s.negotiate().path('connected');
    expect(s.view.connection).toBe('connected');
    expect(s.told()).toEqual(['connection', 'connection']);
  });

  it('ends with the error when REST refuses', () => {
    const s = new Script().event({ type: 'join', profile: { name: 'Me' } });
    const error = new AlthingError('gone', 'over');
    s.event({ type: 'resolve_failed', error, retry: false });
    expect(s.view).toMatchObject({ connection: 'ended', end: { reason: 'failed', error } });
    expect(s.did('settle_join')).toEqual([{ do: 'settle_join', error }]);
  });

  it('tries REST again while the network fails, and tells once', () => {
    const s = new Script().event({ type: 'join', profile: { name: 'Me' } });
    const failed = { type: 'resolve_failed', error: new AlthingError('network', 'no'), retry: true } as const;
    s.event(failed).wait(1_000);
    expect(s.did('resolve')).toHaveLength(2);
    s.event(failed).wait(10_000);
    expect(s.did('resolve')).toHaveLength(3);
    expect(s.told().filter((e) => e === 'error')).toHaveLength(1);
    expect(s.did('settle_join')).toEqual([]);
  });

  it.each([
    ['resource_unavailable', 'full'],
    ['authentication_failed', 'forbidden'],
  ] as const)('%s means %s', (error_type, code) => {
    const s = new Script().join().event({ type: 'socket_open', id: 1 });
    s.answer('authenticate', { type: 'error', error_type, error_message: 'Meeting is full', detail: {} });
    expect(s.view.end?.error?.code).toBe(code);
    expect(s.did('settle_join')).toHaveLength(1);
  });

  it('leaves', () => {
    const s = new Script().connect().event({ type: 'leave' });
    expect(s.sent('leave')).toHaveLength(1);
    expect(s.view).toMatchObject({ connection: 'ended', end: { reason: 'left', error: null } });
    expect(s.did('close_socket')).toHaveLength(1);
    expect(s.did('close_peer')).toHaveLength(1);
    const { state } = s;
    expect(s.event({ type: 'retry_now' }).state).toBe(state);
  });
});

describe('a lost socket', () => {
  it('comes back with the same credentials, and media goes on', () => {
    const s = new Script().connect().forget().closed(1006);
    expect(s.view).toMatchObject({ connection: 'reconnecting', socket: 'reconnecting', media: 'connected' });
    s.wait(10_000);
    expect(s.did('open_socket')).toEqual([{ do: 'open_socket', id: 2, url: 'ws://server' }]);
    s.authenticate();
    expect(s.sent('authenticate')).toEqual([{ type: 'authenticate', token: 'secret', participant_id: 'self' }]);
    expect(s.sent('hello')).toHaveLength(1);
    expect(s.view.connection).toBe('connected');
    expect(s.did('create_peer')).toEqual([]);
    expect(s.did('settle_join')).toEqual([]);
  });

  it('waits longer each time, up to ten seconds, with chance', () => {
    const waits = [0, 1, 2, 3, 4, 5, 60].map((attempt) => backoffMs(attempt, 1));
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    expect(backoffMs(3, 0)).toBe(2000);
  });

  it.each([1000, 1001, 1006, 1011, 1012, 1013])('%i is not the end', (code) => {
    expect(new Script().connect().closed(code).view.socket).toBe('reconnecting');
  });

  it.each(['removed', 'ended', 'replaced'] as const)('4999 after goodbye %s is', (reason) => {
    const s = new Script().connect().hear({ type: 'goodbye', reason }).closed(4999);
    expect(s.view.end).toEqual({ reason, error: null });
  });

  it('4999 without a goodbye is a refusal', () => {
    expect(new Script().connect().closed(4999).view.end?.reason).toBe('failed');
  });

  it('goodbye restart is not', () => {
    const s = new Script().connect().hear({ type: 'goodbye', reason: 'restart' }).closed(1012);
    expect(s.view.connection).toBe('reconnecting');
  });

  it('a full meeting does not keep out who was in', () => {
    const s = new Script().connect().closed(1006).wait(5_000);
    s.event({ type: 'socket_open', id: 2 });
    s.answer('authenticate', {
      type: 'error',
      error_type: 'resource_unavailable',
      error_message: 'Meeting is full',
      detail: {},
    });
    expect(s.view.socket).toBe('reconnecting');
    expect(s.wait(10_000).state.socket.phase).toBe('opening');
  });

  it('that does not open in time is given up', () => {
    const s = new Script().join().wait(9_999);
    expect(s.state.socket.phase).toBe('opening');
    s.wait(1);
    expect(s.state.socket.phase).toBe('waiting');
    // Any code but 1000, which means leaving on purpose.
    expect(s.did('close_socket')).toMatchObject([{ code: 4001 }]);
  });

  it('is noticed by silence', () => {
    const s = new Script().connect().forget().wait(10_000);
    expect(s.sent('ping')).toHaveLength(1);
    s.hear({ type: 'pong' }).wait(10_000);
    expect(s.sent('ping')).toHaveLength(2);
    s.wait(6_000);
    expect(s.view.socket).toBe('reconnecting');
  });

  it('events of a former socket are not heard', () => {
    const s = new Script().connect().closed(1006).wait(5_000);
    s.event({ type: 'socket_closed', id: 1, code: 4999 });
    expect(s.view.socket).toBe('reconnecting');
  });

  it('reconnects at once when the network is back', () => {
    const s = new Script().connect().event({ type: 'network', online: false });
    expect(s.view.offline).toBe(true);
    s.closed(1006).forget().event({ type: 'network', online: true });
    expect(s.did('open_socket')).toHaveLength(1);
    expect(s.view.offline).toBe(false);
  });

  it('is probed quickly when the network has changed', () => {
    const s = new Script().connect().forget().event({ type: 'network_changed' });
    expect(s.sent('ping')).toHaveLength(1);
    expect(s.wait(2_500).view.socket).toBe('reconnecting');
  });
});
