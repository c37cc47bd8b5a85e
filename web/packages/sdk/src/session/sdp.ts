/** What the core reads in an answer. Changing descriptions is `../shell/munge.ts`. */
import type { AnswerIdentity } from './model';

/** The first of each, for with BUNDLE there is one transport. */
export function answerIdentity(sdp: string): AnswerIdentity {
  return {
    session: /^o=\S+ (\S+) /m.exec(sdp)?.[1] ?? null,
    fingerprint: /^a=fingerprint:(.+?)\r?$/im.exec(sdp)?.[1]?.toLowerCase() ?? null,
    ufrag: /^a=ice-ufrag:(.+?)\r?$/m.exec(sdp)?.[1] ?? null,
  };
}

/** Lines that the other end rejected (port 0). In an answer `bundle-only` does not occur (RFC 9143 §7.3.3). */
export function rejectedMids(sdp: string): ReadonlySet<string> {
  const rejected = new Set<string>();
  for (const section of sdp.split(/^m=/m).slice(1)) {
    const mid = /^a=mid:(.+?)\r?$/m.exec(section)?.[1];
    if (mid !== undefined && /^\w+ 0 /.test(section)) rejected.add(mid);
  }
  return rejected;
}
