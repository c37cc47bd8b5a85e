/** Tests of what turns data into words: names, links, rooms, numbers, help, failures, notices, chat, keys. */
import { AlthingError, type ChatEntry, type ErrorCode } from '@althing/sdk';
import { describe, expect, it } from 'vitest';
import { badgeText, chatGroups, unreadCount } from './chat-view';
import { endPage, troubleOf } from './failures';
import { inviteLinks, secureLink } from './invite';
import { linkify } from './links';
import { addNotice, expireNotices, NO_NOTICES, NOTICE_MS, peopleSentence } from './notices';
import { bitrate, duration, levelBars, resolution } from './numbers';
import { AVATAR_COLOURS, avatarColour, cleanName, displayName, initials, NAME_CHARS_MAX } from './person';
import { browserOf, type DeviceTrouble, troubleHelp } from './permission-help';
import { arrivalQuality } from './quality';
import { roomFromInput, roomFromPath, roomPath } from './rooms';
import { shortcutOf } from './shortcuts';

describe('names', () => {
  it.each([
    ['Ana Sørensen', 'AS'],
    ['ana', 'A'],
    ['Ana Maria de la Cruz', 'AC'],
    ['élodie', 'É'],
    ['🙂 Bo', 'B'],
    ['', '?'],
    ['🙂', '?'],
    ['李 明', '李明'],
  ])('%s has the initials %s', (name, expected) => {
    expect(initials(name)).toBe(expected);
  });

  it('cannot turn the text around them or span lines', () => {
    expect(cleanName('a\u202Eb\nc')).toBe('a b c');
  });

  it('keep the joiners that scripts and emoji need', () => {
    expect(cleanName('می\u200cخواهم 👩\u200d🚀')).toBe('می\u200cخواهم 👩\u200d🚀');
  });

  it('are bounded by characters as people count them', () => {
    expect(cleanName('👩‍🚀'.repeat(100))).toBe('👩‍🚀'.repeat(NAME_CHARS_MAX));
  });

  it('are never empty on a screen', () => {
    expect(displayName(undefined)).toBe('Guest');
  });

  it('have a colour that the style sheet knows, from the id alone', () => {
    for (const id of ['', 'a', 'p1x7k2m4q9', '漢字']) {
      expect(avatarColour(id)).toBeLessThan(AVATAR_COLOURS);
      expect(avatarColour(id)).toBe(avatarColour(id));
    }
  });
});

describe('links in chat', () => {
  const links = (text: string) => linkify(text).flatMap((part) => (part.kind === 'link' ? [part.text] : []));

  it.each([
    ['see https://a.example/x.', ['https://a.example/x']],
    ['(https://a.example/x_(y))', ['https://a.example/x_(y)']],
    ['https://a.example, http://b.example!', ['https://a.example', 'http://b.example']],
    ['javascript:alert(1)', []],
    ['data:text/html,x', []],
    ['https://', []],
    ['xhttps://a.example', ['https://a.example']],
  ])('%s', (text, expected) => {
    expect(links(text)).toEqual(expected);
  });

  it('never lose or change a character', () => {
    for (const text of ['a https://a.example) b', '<https://a.example>', 'https://[::1', '']) {
      expect(
        linkify(text)
          .map((part) => part.text)
          .join(''),
      ).toBe(text);
    }
  });

  it('lead to web addresses only', () => {
    const hrefs = linkify('https://user:p@a.example/ä http://b.example').flatMap((part) =>
      part.kind === 'link' ? [new URL(part.href).protocol] : [],
    );
    expect(hrefs).toEqual(['https:', 'http:']);
  });
});

describe('rooms', () => {
  it.each([
    ['quiet-harbour-4821', 'quiet-harbour-4821'],
    ['  Quiet Harbour ', 'quiet-harbour'],
    ['https://meet.example:8443/m/abc?x=1#y', 'abc'],
    ['/m/abc', 'abc'],
    ['/m/ABC-Def', 'abc-def'],
    ['Räume & mehr', 'raume-mehr'],
    ['ab', null],
    ['/m/-abc', null],
    ['meet.example/m/a%2Db', 'a-b'],
    ['', null],
    ['https://example.org/', null],
    ['/m/%E0%A4%A', null],
    ['../etc', null],
    ['x'.repeat(65), null],
  ])('%s is the room %s', (typed, expected) => {
    expect(roomFromInput(typed)).toBe(expected);
  });

  it('are found again in their own path', () => {
    expect(roomFromPath(roomPath('abc-1'))).toBe('abc-1');
    expect(roomFromPath('/')).toBeNull();
    expect(roomFromPath('/m/abc/def')).toBeNull();
    expect(roomFromPath('/m/%3Cb%3E')).toBeNull();
  });
});

describe('invitations', () => {
  it('give phones the address of the network when the page is of this machine only', () => {
    expect(inviteLinks('abc', 'http://localhost:8080', ['https://192.0.2.7:8443'])).toEqual({
      link: 'http://localhost:8080/m/abc',
      phone: 'https://192.0.2.7:8443/m/abc',
      isLocalOnly: true,
    });
  });

  it('give everybody the page’s own address when others can reach it', () => {
    expect(inviteLinks('abc', 'https://meet.example', ['https://192.0.2.7:8443']).phone).toBe(
      'https://meet.example/m/abc',
    );
  });

  it('offer no code when no phone could use it', () => {
    expect(inviteLinks('abc', 'http://127.0.0.1:8080', []).phone).toBeNull();
  });

  it('lead from an insecure page to the secure one of the same host', () => {
    const known = ['https://192.0.2.9:8443', 'https://192.0.2.7:9443'];
    expect(secureLink('/m/a', '192.0.2.7', known)).toBe('https://192.0.2.7:9443/m/a');
    expect(secureLink('/m/a', '192.0.2.8', [])).toBe('https://192.0.2.8:8443/m/a');
  });
});

describe('numbers', () => {
  it('read as people say them', () => {
    expect(bitrate(2_440_000)).toBe('2.4 Mbit/s');
    expect(bitrate(148_000)).toBe('148 kbit/s');
    expect(resolution(0, 0)).toBe('–');
    expect(duration(3_725_000)).toBe('1:02:05');
    expect(duration(65_000)).toBe('01:05');
    expect(duration(-1)).toBe('00:00');
  });

  it('fill a meter without ever leaving it', () => {
    for (const level of [-1, 0, 0.01, 0.2, 1, 7, Number.NaN]) {
      expect(levelBars(level, 16)).toBeGreaterThanOrEqual(0);
      expect(levelBars(level, 16)).toBeLessThanOrEqual(16);
    }
    expect(levelBars(0, 16)).toBe(0);
    expect(levelBars(0.1, 16)).toBeGreaterThan(3);
  });
});

describe('help with devices', () => {
  it.each([
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36',
      0,
      'chromium',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', 0, 'firefox'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15', 0, 'safari'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15',
      5,
      'safari-ios',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/150 Safari/604.1',
      5,
      'safari-ios',
    ],
    ['something', 0, 'other'],
  ])('knows the browser', (agent, touchPoints, expected) => {
    expect(browserOf(agent, touchPoints)).toBe(expected);
  });

  it('always says what to do', () => {
    const troubles: DeviceTrouble[] = ['denied', 'dismissed', 'none', 'busy', 'gone', 'insecure', 'failed'];
    for (const trouble of troubles) {
      for (const browser of ['chromium', 'firefox', 'safari', 'safari-ios', 'other'] as const) {
        const help = troubleHelp(trouble, 'camera', browser);
        expect(help.title).not.toBe('');
        expect(help.steps.length).toBeGreaterThan(0);
      }
    }
  });

  it('blames the page, not the user, when it is not secure', () => {
    expect(troubleOf(new AlthingError('device_denied', ''), false)).toBe('insecure');
    expect(troubleOf(new AlthingError('device_in_use', ''), true)).toBe('busy');
  });
});

describe('pages at the end', () => {
  it('offer what helps', () => {
    const page = (code: ErrorCode) => endPage({ reason: 'failed', error: new AlthingError(code, 'x') });
    expect(page('full').action).toBe('retry');
    expect(page('not_found').action).toBeNull();
    expect(page('network').kind).toBe('unreachable');
    expect(endPage({ reason: 'left', error: null }).action).toBe('rejoin');
    expect(endPage({ reason: 'replaced', error: null }).action).toBe('take-back');
    expect(endPage({ reason: 'removed', error: null }).action).toBeNull();
  });
});

describe('notices', () => {
  it('go away after their time, and a repeated one lives longer', () => {
    const first = addNotice(NO_NOTICES, 'Ana joined', 'info', 0);
    const again = addNotice(first, 'Ana joined', 'info', 3_000);
    expect(again.list).toHaveLength(1);
    expect(expireNotices(again, NOTICE_MS + 1).list).toHaveLength(1);
    expect(expireNotices(again, NOTICE_MS + 3_001).list).toHaveLength(0);
    expect(expireNotices(again, 1)).toBe(again);
  });

  it('are never more than a few', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].reduce((all, text) => addNotice(all, text, 'info', 0), NO_NOTICES);
    expect(many.list.map((notice) => notice.text)).toEqual(['c', 'd', 'e']);
  });

  it.each([
    [['Ana'], 'Ana joined'],
    [['Ana', 'Bo'], 'Ana and Bo joined'],
    [['Ana', 'Bo', 'Cy'], 'Ana, Bo and 1 other joined'],
    [['Ana', 'Bo', 'Cy', 'Di'], 'Ana, Bo and 2 others joined'],
  ])('name %s', (names, expected) => {
    expect(peopleSentence(names, 'joined')).toBe(expected);
  });
});

describe('chat', () => {
  const entry = (key: string, from: string, atMs: number): ChatEntry => ({
    number: 1,
    key,
    from,
    name: from,
    to: null,
    text: key,
    atMs,
    own: from === 'me',
    delivery: 'sent',
  });

  it('puts messages that follow closely under one heading', () => {
    const groups = chatGroups([
      entry('1', 'ana', 0),
      entry('2', 'ana', 60_000),
      entry('3', 'ana', 400_000),
      entry('4', 'me', 400_001),
    ]);
    expect(groups.map((group) => [group.name, group.entries.length])).toEqual([
      ['ana', 2],
      ['ana', 1],
      ['You', 1],
    ]);
  });

  it('counts what others wrote since it was last seen', () => {
    const all = [entry('1', 'ana', 0), entry('2', 'me', 1), entry('3', 'ana', 2)];
    expect(unreadCount(all, '1')).toBe(1);
    expect(unreadCount(all, null)).toBe(2);
    expect(unreadCount(all, '3')).toBe(0);
    expect([badgeText(0), badgeText(3), badgeText(12)]).toEqual(['', '3', '9+']);
  });
});

describe('keys', () => {
  const press = (key: string, change = {}) =>
    shortcutOf({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...change });

  it('do what the list says, in upper case too', () => {
    expect(press('m')).toBe('mic');
    expect(press('V')).toBe('camera');
    expect(press('?')).toBe('help');
    expect(press('x')).toBeNull();
  });

  it('leave the browser its own shortcuts', () => {
    expect(press('p', { ctrlKey: true })).toBeNull();
    expect(press('m', { metaKey: true })).toBeNull();
    expect(press('m', { repeat: true })).toBeNull();
  });
});

describe('how well somebody arrives', () => {
  const received = (key: string, lossPct: number, bps = 1_000) =>
    ({ key, lossPct, bps }) as Parameters<typeof arrivalQuality>[0][number];

  it('is as good as the worst stream', () => {
    expect(arrivalQuality([received('ana/a', 0), received('ana/b', 12)], 'ana')).toBe(1);
    expect(arrivalQuality([received('ana/a', 4)], 'ana')).toBe(2);
    expect(arrivalQuality([received('ana/a', 0)], 'ana')).toBe(4);
  });

  it('is not known while nothing arrives, and does not mix people up', () => {
    expect(arrivalQuality([received('ana/a', 50, 0)], 'ana')).toBeNull();
    expect(arrivalQuality([received('anastasia/a', 50)], 'ana')).toBeNull();
  });
});
