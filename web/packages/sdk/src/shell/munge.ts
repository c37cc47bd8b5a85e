/**
 * Changes to session descriptions. Of an offer the browser keeps what it made itself; only the copy that is sent says
 * more than browsers can say. Of an answer only how the other end likes its Opus is changed, which codec comes first, and
 * what is in sync with what.
 */

/** What to say of one m-line. */
export interface LineNotes {
  /** `a=content` (RFC 4796). */
  readonly content: 'slides' | 'alt' | null;
  /** By rid: restrictions `max-width` and `max-height` (RFC 8851), in pixels. */
  readonly sizes: ReadonlyMap<string, { readonly width: number; readonly height: number }>;
  /** The codec (`VP8`) that an answer is to name first, which is the one that browsers send. */
  readonly first: string | null;
  /** Of an answer: the stream that the line belongs to. Browsers sync the sound and the picture of one stream. */
  readonly stream: string | null;
  /** Parameters to add to Opus' `a=fmtp`, where they are not there yet. */
  readonly opus: Readonly<Record<string, string>> | null;
}

/** The description with what is noted by mid. */
export function annotate(sdp: string, notesByMid: ReadonlyMap<string, LineNotes>, type: 'offer' | 'answer'): string {
  const [head = '', ...sections] = sdp.split(/^(?=m=)/m);
  const changed = sections.map((section) => {
    const mid = /^a=mid:(.+?)\r?$/m.exec(section)?.[1];
    const notes = mid === undefined ? undefined : notesByMid.get(mid);
    return notes === undefined ? section : annotateSection(section, notes, type);
  });
  return head + changed.join('');
}

function annotateSection(section: string, notes: LineNotes, type: 'offer' | 'answer'): string {
  const withOpus = notes.opus === null ? section : setOpus(section, notes.opus);
  if (type === 'answer') {
    const first = notes.first === null ? withOpus : setFirst(withOpus, notes.first);
    return notes.stream === null ? first : first.replace(/^a=msid:\S+/m, `a=msid:${notes.stream}`);
  }
  const changed = setSizes(withOpus, notes.sizes);
  if (notes.content !== null && !/^a=content:/m.test(changed)) return append(changed, `a=content:${notes.content}`);
  return changed;
}

/** `a=rid:h send` becomes `a=rid:h send max-width=1280;max-height=720`. */
function setSizes(section: string, sizes: LineNotes['sizes']): string {
  return section.replace(/^a=rid:(\S+) send([^\r\n]*)/gm, (line, rid: string, rest: string) => {
    const size = sizes.get(rid);
    if (size === undefined || /max-(width|height)=/.test(rest)) return line;
    const restrictions = [rest.trim(), `max-width=${size.width}`, `max-height=${size.height}`].filter((r) => r !== '');
    return `a=rid:${rid} send ${restrictions.join(';')}`;
  });
}

function setFirst(section: string, codec: string): string {
  const type = new RegExp(`^a=rtpmap:(\\d+) ${codec}/`, 'im').exec(section)?.[1];
  if (type === undefined) return section;
  return section.replace(/^(m=\S+ \S+ \S+)([^\r\n]*)/, (_, head: string, types: string) => {
    const others = types.split(' ').filter((other) => other !== '' && other !== type);
    return [head, type, ...others].join(' ');
  });
}

function setOpus(section: string, wanted: Readonly<Record<string, string>>): string {
  const type = /^a=rtpmap:(\d+) opus\/48000/im.exec(section)?.[1];
  if (type === undefined) return section;
  const found = new RegExp(`^a=fmtp:${type} ([^\\r\\n]*)`, 'm').exec(section);
  const there = new Set(found?.[1]?.split(';').map((p) => p.split('=')[0]?.trim()));
  const added = Object.entries(wanted)
    .filter(([name]) => !there.has(name))
    .map(([name, value]) => `${name}=${value}`);
  if (added.length === 0) return section;
  if (found === null) return append(section, `a=fmtp:${type} ${added.join(';')}`);
  return section.replace(found[0], `${found[0]};${added.join(';')}`);
}

function append(section: string, line: string): string {
  return `${section.replace(/[\r\n]+$/, '')}\r\n${line}\r\n`;
}
