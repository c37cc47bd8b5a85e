/** A piece of a chat message. */
export type TextPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string };

/**
 * Splits a chat message into plain text and web links. Only `http` and `https` addresses become links, whatever the
 * message says; everything else stays text. Punctuation that ends a sentence is not part of a link.
 */
export function linkify(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'`]+/giu)) {
    const raw = trimmed(match[0]);
    const href = safeHref(raw);
    if (href === null) {
      continue;
    }
    if (match.index > from) {
      parts.push({ kind: 'text', text: text.slice(from, match.index) });
    }
    parts.push({ kind: 'link', text: raw, href });
    from = match.index + raw.length;
  }
  if (from < text.length) {
    parts.push({ kind: 'text', text: text.slice(from) });
  }
  return parts;
}

function trimmed(raw: string): string {
  let link = raw.replace(/[.,;:!?…]+$/u, '');
  for (const [open, close] of BRACKETS) {
    while (link.endsWith(close) && count(link, close) > count(link, open)) {
      link = link.slice(0, -1).replace(/[.,;:!?…]+$/u, '');
    }
  }
  return link;
}

const BRACKETS: readonly (readonly [string, string])[] = [
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
];

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function safeHref(raw: string): string | null {
  try {
    const url = new URL(raw);
    const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
    return isWeb && url.hostname !== '' ? url.href : null;
  } catch {
    return null;
  }
}
