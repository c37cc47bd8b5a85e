import type { PoorLink, Quality, ReceivedStats } from '@althing/sdk';

/** A quality in words. */
export function qualityWords(quality: Quality | null): string {
  return quality === null ? 'Connection not measured yet' : QUALITY_WORDS[quality];
}

const QUALITY_WORDS: Readonly<Record<Quality, string>> = {
  0: 'Connection lost',
  1: 'Poor connection',
  2: 'Weak connection',
  3: 'Good connection',
  4: 'Excellent connection',
};

/** What is wrong with the own connection, and what follows from it. */
export function poorLinkWords(link: PoorLink): { readonly what: string; readonly so: string } {
  const what = `Your connection is poor${link === 'both' ? '' : ` (${link})`}.`;
  return { what, so: POOR_LINK_WORDS[link] };
}

const POOR_LINK_WORDS: Readonly<Record<PoorLink, string>> = {
  uplink: 'Others may not see and hear you well.',
  downlink: 'You may not see and hear others well.',
  both: 'Sound and pictures may suffer both ways.',
};

/** A mark is worth showing only when something is wrong. */
export function isNoteworthy(quality: Quality | null): quality is 0 | 1 | 2 {
  return quality !== null && quality <= 2;
}

/** Loss from which a picture or voice suffers visibly, in percent. */
const LOSS_FAIR_PCT = 3;
const LOSS_POOR_PCT = 10;

/** How well the streams of one participant arrive here, from the newest statistics; null when nothing arrives. */
export function arrivalQuality(received: readonly ReceivedStats[], participantId: string): Quality | null {
  const own = received.filter((stream) => stream.key.startsWith(`${participantId}/`) && stream.bps > 0);
  if (own.length === 0) {
    return null;
  }
  const loss = Math.max(...own.map((stream) => stream.lossPct));
  return loss >= LOSS_POOR_PCT ? 1 : loss >= LOSS_FAIR_PCT ? 2 : 4;
}
