import { describe, expect, it } from 'vitest';
import { CAMERA, MICROPHONE, SCREEN, Script } from './script';

/** What the last wanted offer looks like: `s` sends, `-` is inactive, `r` receives. */
function lines(s: Script): string {
  const wanted = s.did('make_offer').at(-1);
  if (wanted?.do !== 'make_offer') return '';
  return wanted.lines
    .map((line) => (line.use === 'receive' ? 'r' : line.localId === null ? '-' : 's'))
    .join('')
    .replace(/r+/g, (run) => `r${run.length}`);
}

describe('offers', () => {
  it('begin with what is captured and twelve lines to receive on', () => {
    const s = new Script().connect([MICROPHONE, CAMERA]);
    expect(lines(s)).toBe('ssr12');
    expect(s.sent('media_offer')).toHaveLength(1);
  });

  it('go out one at a time; what comes up meanwhile is in the next one', () => {
    const s = new Script().join([MICROPHONE]).authenticate().offer().forget();
    s.event({ type: 'local', streams: [MICROPHONE, CAMERA] });
    s.event({ type: 'local', streams: [MICROPHONE, CAMERA, SCREEN] });
    expect(s.did('make_offer')).toEqual([]);
    s.answerOffer();
    expect(s.did('make_offer')).toHaveLength(1);
    expect(lines(s)).toBe('sr12ss');
    s.negotiate().forget().wait(1_000);
    expect(s.did('make_offer')).toEqual([]);
  });

  it('are not needed for mute, camera off and on', () => {
    const s = new Script().connect([MICROPHONE, CAMERA]).forget();
    s.event({
      type: 'local',
      streams: [
        { ...MICROPHONE, sending: false },
        { ...CAMERA, sending: false },
      ],
    });
    s.event({ type: 'local', streams: [MICROPHONE, CAMERA] });
    expect(s.did('make_offer')).toEqual([]);
    expect(s.sent('mute_stream')).toEqual([
      { type: 'mute_stream', mid: '0', muted: true },
      { type: 'mute_stream', mid: '1', muted: true },
      { type: 'mute_stream', mid: '0', muted: false },
      { type: 'mute_stream', mid: '1', muted: false },
    ]);
  });

  it('give a stream that was never on no line', () => {
    const s = new Script().connect([{ ...MICROPHONE, sending: false }]);
    expect(lines(s)).toBe('r12');
  });

  it('use the line of an ended share again for the next one', () => {
    const s = new Script().connect([MICROPHONE, SCREEN]).forget();
    s.event({ type: 'local', streams: [MICROPHONE] });
    expect(lines(s)).toBe('s-r12');
    s.negotiate().event({ type: 'local', streams: [MICROPHONE, { ...SCREEN, id: 'screen-2' }] });
    expect(lines(s)).toBe('ssr12');
  });

  it('several shares have a line each', () => {
    const s = new Script().connect([SCREEN, { ...SCREEN, id: 'screen-2' }]);
    expect(lines(s)).toBe('ssr12');
    s.hear({ type: 'published', streams: { 0: 'a', 1: 'b' } });
    expect(s.view.published).toEqual([
      { localId: 'screen-1', mid: '0', streamId: 'a' },
      { localId: 'screen-2', mid: '1', streamId: 'b' },
    ]);
  });

  it('without an answer mean that the socket is dead', () => {
    const s = new Script().join().authenticate().offer();
    for (let i = 0; i < 9; i++) s.wait(1_000).hear({ type: 'ping' });
    expect(s.state.socket.phase).toBe('up');
    s.wait(1_000);
    expect(s.state.socket.phase).toBe('waiting');
  });

  it('are not waited for when the socket is lost meanwhile', () => {
    const s = new Script().connect().path('failed').offer().closed(1006).wait(300).forget().wait(9_900);
    expect(s.did('close_socket')).toEqual([]);
    s.authenticate();
    expect(s.did('make_offer')).toMatchObject([{ iceRestart: true }]);
  });

  it('that are refused make a new peer connection, later each time', () => {
    const s = new Script().join().authenticate();
    for (let i = 0; i < 4; i++) {
      s.offer().answer('media_offer', {
        type: 'error',
        error_type: 'sdp_offer_processing',
        error_message: 'no',
        detail: {},
      });
      s.wait(10_000);
    }
    expect(s.did('create_peer')).toHaveLength(5);
    expect(s.told().filter((e) => e === 'error')).toHaveLength(1);
  });

  it('lost with the socket are made again', () => {
    const s = new Script()
      .connect([MICROPHONE])
      .event({ type: 'local', streams: [MICROPHONE, CAMERA] })
      .offer();
    s.closed(1006).wait(5_000).forget().authenticate();
    expect(lines(s)).toBe('sr12s');
    s.negotiate();
    expect(s.state.media.offer).toBeNull();
  });

  it('the late answer to an abandoned one is not taken for that of the next', () => {
    const s = new Script()
      .connect([MICROPHONE])
      .event({ type: 'local', streams: [MICROPHONE, CAMERA] })
      .offer();
    const first = s.said.at(-1)?.id ?? '';
    s.hear({ type: 'reoffer', reason: 'test' }).offer().forget();
    s.hear({ type: 'media_offer', sdp: '' }, first);
    expect(s.did('apply_answer')).toEqual([]);
    s.hear({ type: 'media_offer', sdp: '' });
    expect(s.did('apply_answer')).toHaveLength(1);
  });
});

describe('a lost path', () => {
  it('is mended by an ICE restart after two seconds', () => {
    const s = new Script().connect().forget().path('disconnected').wait(1_999);
    expect(s.did('make_offer')).toEqual([]);
    expect(s.view.media).toBe('connected');
    s.wait(1);
    expect(s.did('make_offer')).toMatchObject([{ iceRestart: true }]);
    expect(s.view.media).toBe('reconnecting');
    s.ufrag = 'u2';
    s.negotiate().path('connected');
    expect(s.view.connection).toBe('connected');
    expect(s.did('create_peer')).toEqual([]);
  });

  it('that comes back by itself is left alone', () => {
    const s = new Script().connect().forget().path('disconnected').wait(1_000).path('connected').wait(8_000);
    expect(s.did('make_offer')).toEqual([]);
  });

  it('that failed is restarted at once', () => {
    expect(new Script().connect().forget().path('failed').did('make_offer')).toMatchObject([{ iceRestart: true }]);
  });

  it('gets a new peer connection when the restart does not help, with the same lines', () => {
    const s = new Script()
      .connect([MICROPHONE, SCREEN])
      .event({ type: 'local', streams: [MICROPHONE] })
      .negotiate();
    s.path('failed').negotiate().forget().wait(5_000);
    expect(s.did('create_peer')).toHaveLength(1);
    expect(lines(s)).toBe('s-r12');
    expect(s.view.media).toBe('reconnecting');
    s.negotiate().path('connected');
    expect(s.view.connection).toBe('connected');
  });

  it('waits for the socket', () => {
    const s = new Script().connect().closed(1006).path('disconnected').wait(2_000).forget();
    s.path('failed');
    expect(s.effects.filter((e) => e.do !== 'emit')).toEqual([]);
    s.wait(5_000).authenticate();
    expect(s.did('make_offer')).toMatchObject([{ iceRestart: true }]);
  });

  it('does not come up behind a firewall: told once, tried on', () => {
    const s = new Script().join().authenticate();
    for (let i = 0; i < 5; i++) s.negotiate().wait(12_000).hear({ type: 'ping' }).wait(9_000).hear({ type: 'ping' });
    const errors = s.effects.flatMap((e) => (e.do === 'emit' && e.event.name === 'error' ? [e.event.detail] : []));
    expect(errors).toMatchObject([{ error: { code: 'media_path' } }]);
    expect(s.view.media).toBe('connecting');
  });

  it('the server may ask for a new offer', () => {
    const s = new Script().connect().forget().hear({ type: 'reoffer', reason: 'unit lost' });
    expect(s.did('create_peer')).toHaveLength(1);
    expect(s.did('make_offer')).toMatchObject([{ iceRestart: false }]);
  });

  it('and is not made to begin anew what is under way', () => {
    const s = new Script().join().authenticate().offer().forget();
    s.hear({ type: 'reoffer', reason: 'the former tab is gone' });
    expect(s.did('create_peer')).toEqual([]);
    s.answerOffer().path('connected').hear({ type: 'reoffer', reason: 'unit lost' });
    expect(s.did('create_peer')).toHaveLength(1);
  });

  it('a change of the network restarts ICE at once, but not all the time', () => {
    const s = new Script().connect().wait(5_000).forget().event({ type: 'network_changed' });
    expect(s.did('make_offer')).toMatchObject([{ iceRestart: true }]);
    s.negotiate().path('connecting').path('connected').event({ type: 'network_changed' });
    expect(s.did('make_offer')).toHaveLength(1);
  });

  it('a restart on a living path may pass without any change of its state', () => {
    const s = new Script().connect().wait(5_000).forget().event({ type: 'network_changed' });
    s.hear({ type: 'pong' }).negotiate().wait(9_000);
    expect(s.did('create_peer')).toEqual([]);
    expect(s.view.connection).toBe('connected');
    expect(s.path('failed').did('make_offer')).toHaveLength(2);
  });
});

describe('a restarted server', () => {
  it('is known by its fingerprint, though the path has not been missed yet', () => {
    const s = new Script().connect([MICROPHONE]).hear({ type: 'goodbye', reason: 'restart' }).closed(1012);
    s.wait(1_000).authenticate().forget();
    s.fingerprint = 'CC:DD';
    s.offer().answerOffer();
    expect(s.did('create_peer')).toHaveLength(1);
    expect(s.did('apply_answer')).toEqual([]);
    s.negotiate().path('connected');
    expect(s.view.connection).toBe('connected');
  });

  it.each(['ufrag', 'session'] as const)('is known by another %s that nobody asked for', (what) => {
    const s = new Script().connect().closed(1012).wait(1_000).authenticate().forget();
    s[what] = '9';
    s.offer().answerOffer();
    expect(s.did('create_peer')).toHaveLength(1);
  });

  it('and an ICE restart that meets a new end', () => {
    const s = new Script().connect().path('disconnected').wait(2_000).forget();
    s.fingerprint = 'CC:DD';
    s.negotiate();
    expect(s.did('create_peer')).toHaveLength(1);
  });

  it('hears again what is muted, once it knows the line', () => {
    const s = new Script().connect([MICROPHONE]);
    s.event({ type: 'local', streams: [{ ...MICROPHONE, sending: false }] })
      .closed(1012)
      .wait(1_000);
    s.forget().authenticate();
    expect(s.sent('mute_stream')).toEqual([]);
    s.negotiate();
    expect(s.sent('mute_stream')).toEqual([{ type: 'mute_stream', mid: '0', muted: true }]);
  });
});
