import { describe, expect, it } from 'vitest';
import { CAMERA, MICROPHONE, Script } from './script';

const LOW = { 1: { watched: true, rids: ['l'], codecs: [] } };

describe('what is looked at', () => {
  it('is applied to the present peer connection', () => {
    const s = new Script().connect([MICROPHONE, CAMERA]).forget();
    expect(s.state.demand).toEqual({});
    s.hear({ type: 'demand', streams: LOW });
    expect(s.did('apply_demand')).toEqual([{ do: 'apply_demand', peer: s.state.media.peer, demand: LOW }]);
    s.hear({ type: 'demand', streams: {} });
    expect(s.did('apply_demand').at(-1)).toMatchObject({ demand: {} });
  });

  it('costs no offer and no mute', () => {
    const s = new Script().connect([MICROPHONE, CAMERA]).forget();
    s.hear({ type: 'demand', streams: { 1: { watched: false, rids: [], codecs: [] } } });
    expect(s.said).toEqual([]);
    expect(s.did('make_offer')).toEqual([]);
  });

  it('is everything again on a new peer connection, until the server says otherwise', () => {
    const s = new Script().connect([MICROPHONE, CAMERA]);
    s.hear({ type: 'demand', streams: LOW }).forget();
    s.hear({ type: 'reoffer', reason: 'test' });
    expect(s.did('create_peer')).toHaveLength(1);
    expect(s.state.demand).toEqual({});
  });

  it('holds while the socket is gone', () => {
    const s = new Script().connect([MICROPHONE, CAMERA]);
    s.hear({ type: 'demand', streams: LOW }).forget();
    s.closed(1006);
    expect(s.state.demand).toEqual(LOW);
    expect(s.did('apply_demand')).toEqual([]);
  });

  it('waits for nothing: without a peer connection there is nothing to send', () => {
    const s = new Script().join([]).forget();
    s.event({ type: 'socket_open', id: s.state.socket.id });
    s.hear({ type: 'demand', streams: {} });
    expect(s.did('apply_demand')).toEqual([]);
  });
});
