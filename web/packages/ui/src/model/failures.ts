import type { AlthingError, ErrorCode, SessionEnd } from '@althing/sdk';
import type { DeviceTrouble } from './permission-help';

/** A whole screen that says that something ended or did not work. */
export interface EndPage {
  /** Stable, for tests and style. */
  readonly kind:
    'left' | 'removed' | 'ended' | 'replaced' | 'not-found' | 'full' | 'unreachable' | 'unsupported' | 'failed';
  readonly title: string;
  readonly text: string;
  /** The main button; null when nothing can be done here. */
  readonly action: 'rejoin' | 'retry' | 'take-back' | null;
  /** What a program said, for a report. */
  readonly detail: string | null;
}

/** What to show when a session is over. */
export function endPage(end: SessionEnd): EndPage {
  switch (end.reason) {
    case 'left':
      return page('left', 'You left the meeting', 'It goes on without you, and its link still works.', 'rejoin');
    case 'removed':
      return page('removed', 'You were removed from the meeting', 'Somebody in the meeting took you out of it.', null);
    case 'ended':
      return page('ended', 'The meeting has ended', 'It is over for everybody.', null);
    case 'replaced':
      return page(
        'replaced',
        'You joined in another tab',
        'A meeting can be open once per person. The other tab or window has it now.',
        'take-back',
      );
    case 'failed':
      return end.error === null ? failurePage('unknown', null) : failurePageOf(end.error);
  }
}

/** What to show when joining failed. */
export function failurePageOf(error: AlthingError): EndPage {
  return failurePage(error.code, error.detail ?? error.message);
}

function failurePage(code: ErrorCode, detail: string | null): EndPage {
  switch (code) {
    case 'not_found':
      return page('not-found', 'There is no such meeting', 'Check the link, or ask for a new one.', null, detail);
    case 'gone':
      return page('ended', 'This meeting is over', 'Start a new one, or ask for another link.', null, detail);
    case 'full':
      return page('full', 'The meeting is full', 'Somebody has to leave before you can join.', 'retry', detail);
    case 'forbidden':
      return page(
        'failed',
        'You can’t join with this link',
        'Your place in the meeting has expired. Join again.',
        'retry',
        detail,
      );
    case 'network':
      return page(
        'unreachable',
        'The server can’t be reached',
        'Check your network. If it works, the server may be starting up or switched off.',
        'retry',
        detail,
      );
    case 'media_path':
      return page(
        'unreachable',
        'Sound and video can’t get through',
        'The server answers, but a firewall seems to block calls. Try another network, or ask whoever runs yours.',
        'retry',
        detail,
      );
    case 'unsupported':
      return page(
        'unsupported',
        'This browser can’t join meetings',
        'Use a current Chrome, Edge, Firefox or Safari.',
        null,
        detail,
      );
    default:
      return page(
        'failed',
        'Something went wrong',
        'That was not your fault. Trying again often helps.',
        'retry',
        detail,
      );
  }
}

function page(
  kind: EndPage['kind'],
  title: string,
  text: string,
  action: EndPage['action'],
  detail: string | null = null,
): EndPage {
  return { kind, title, text, action, detail };
}

/** What a device's error means for the person in front of it. */
export function troubleOf(error: AlthingError, isSecure: boolean): DeviceTrouble {
  if (!isSecure) {
    return 'insecure';
  }
  switch (error.code) {
    case 'device_denied':
    case 'device_denied_by_system':
      return 'denied';
    case 'cancelled':
      return 'dismissed';
    case 'device_not_found':
      return 'none';
    case 'device_in_use':
      return 'busy';
    case 'device_lost':
    case 'device_overconstrained':
      return 'gone';
    default:
      return 'failed';
  }
}
