import { describe, expect, it } from 'vitest';
import type { LineNotes } from './munge';
import { annotate } from './munge';

const OFFER = [
  'v=0',
  'a=group:BUNDLE 0 1 2',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 9',
  'a=mid:0',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:1',
  'a=rtpmap:96 VP8/90000',
  'a=rid:l send',
  'a=rid:h send pt=96',
  'a=simulcast:send l;h',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:2',
  'a=recvonly',
  '',
].join('\r\n');

const NOTES: LineNotes = { content: null, sizes: new Map(), first: null, stream: null, opus: null };

function lines(sdp: string): string[] {
  return sdp.split('\r\n');
}

describe('an offer on its way', () => {
  it('without notes is not touched', () => {
    expect(annotate(OFFER, new Map([['7', NOTES]]), 'offer')).toBe(OFFER);
    expect(annotate('', new Map(), 'offer')).toBe('');
  });

  it('says the sizes of layers and what the line is', () => {
    const sizes = new Map([
      ['l', { width: 640, height: 360 }],
      ['h', { width: 1280, height: 720 }],
    ]);
    const sent = lines(annotate(OFFER, new Map([['1', { ...NOTES, sizes, content: 'slides' as const }]]), 'offer'));
    expect(sent).toContain('a=rid:l send max-width=640;max-height=360');
    expect(sent).toContain('a=rid:h send pt=96;max-width=1280;max-height=720');
    expect(sent.indexOf('a=content:slides')).toBe(sent.indexOf('a=mid:2') - 2);
    const added = new Set(lines(OFFER).filter((line) => !line.startsWith('a=rid')));
    expect(sent.filter((line) => !added.has(line) && !line.startsWith('a=rid'))).toEqual(['a=content:slides']);
  });

  it('of the last line ends as before', () => {
    const sent = annotate(OFFER, new Map([['2', { ...NOTES, content: 'alt' as const }]]), 'offer');
    expect(sent.endsWith('a=recvonly\r\na=content:alt\r\n')).toBe(true);
  });

  it('says how Opus is to be, without doubling what is there', () => {
    const opus = { usedtx: '1', useinbandfec: '1' };
    const sent = annotate(OFFER, new Map([['0', { ...NOTES, opus }]]), 'offer');
    expect(lines(sent)).toContain('a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1');
    expect(annotate(sent, new Map([['0', { ...NOTES, opus }]]), 'offer')).toBe(sent);
    const bare = OFFER.replace(/a=fmtp.*\r\n/, '');
    expect(lines(annotate(bare, new Map([['0', { ...NOTES, opus }]]), 'offer'))).toContain(
      'a=fmtp:111 usedtx=1;useinbandfec=1',
    );
  });
});

it('of an answer only Opus is changed', () => {
  const notes = {
    stream: null,
    first: null,
    content: 'slides' as const,
    sizes: new Map([['l', { width: 1, height: 1 }]]),
    opus: { usedtx: '1' },
  };
  const both = new Map([
    ['0', notes],
    ['1', notes],
  ]);
  const changed = annotate(OFFER, both, 'answer');
  expect(changed).toBe(OFFER.replace('useinbandfec=1', 'useinbandfec=1;usedtx=1'));
});

it('an answer names the codec first that is to be sent', () => {
  const answer = OFFER.replace('SAVPF 96\r\na=mid:1', 'SAVPF 45 46 96 97\r\na=mid:1');
  const changed = annotate(answer, new Map([['1', { ...NOTES, first: 'vp8' }]]), 'answer');
  expect(changed).toBe(answer.replace('SAVPF 45 46 96 97', 'SAVPF 96 45 46 97'));
  expect(annotate(answer, new Map([['1', { ...NOTES, first: 'AV1' }]]), 'answer')).toBe(answer);
  expect(annotate(changed, new Map([['1', { ...NOTES, first: 'vp8' }]]), 'answer')).toBe(changed);
});

it('of an answer, lines are put into the stream that they are in sync with', () => {
  const section = (mid: string) => `m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:${mid}\r\na=msid:s01 t01\r\n`;
  const answer = `v=0\r\n${section('0')}${section('1')}`;
  const notes = new Map([['1', { ...NOTES, stream: 'place3' }]]);
  expect(annotate(answer, notes, 'answer')).toBe(`v=0\r\n${section('0')}${section('1').replace('s01', 'place3')}`);
  expect(annotate(answer, notes, 'offer'), 'an offer says its own').toBe(answer);
});
