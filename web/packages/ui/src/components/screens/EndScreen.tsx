import { Ban, CircleCheck, Clock, Copy, SearchX, TriangleAlert, Unplug, UserX, Users } from 'lucide-react';
import type { ReactNode } from 'react';
import type { EndPage } from '../../model/failures';
import { Button } from '../Button';
import { Wordmark } from '../Logo';

interface EndScreenProps {
  readonly page: EndPage;
  readonly onAction: () => void;
  readonly onHome: () => void;
}

const ICONS: Readonly<Record<EndPage['kind'], ReactNode>> = {
  left: <CircleCheck className="icon" size={44} aria-hidden />,
  removed: <UserX className="icon" size={44} aria-hidden />,
  ended: <Clock className="icon" size={44} aria-hidden />,
  replaced: <Copy className="icon" size={44} aria-hidden />,
  'not-found': <SearchX className="icon" size={44} aria-hidden />,
  full: <Users className="icon" size={44} aria-hidden />,
  unreachable: <Unplug className="icon" size={44} aria-hidden />,
  unsupported: <Ban className="icon" size={44} aria-hidden />,
  failed: <TriangleAlert className="icon" size={44} aria-hidden />,
};

const ACTIONS: Readonly<Record<NonNullable<EndPage['action']>, string>> = {
  rejoin: 'Join again',
  retry: 'Try again',
  'take-back': 'Go on here',
};

/** It is over, or it did not work. */
export function EndScreen({ page, onAction, onHome }: EndScreenProps) {
  const isError = page.kind !== 'left' && page.kind !== 'ended';
  return (
    <div className="end" data-testid={isError ? 'error-screen' : 'end-screen'} data-kind={page.kind}>
      <header className="start__head">
        <Wordmark />
      </header>
      <main className="end__main">
        <div className="end__icon" data-tone={isError ? 'warn' : 'calm'}>
          {ICONS[page.kind]}
        </div>
        <h1 className="end__title">{page.title}</h1>
        <p className="end__text">{page.text}</p>
        <div className="end__actions">
          {page.action !== null && (
            <Button tone="primary" large onClick={onAction} data-testid={page.action === 'retry' ? 'retry' : 'rejoin'}>
              {ACTIONS[page.action]}
            </Button>
          )}
          <Button tone={page.action === null ? 'primary' : 'quiet'} large onClick={onHome} data-testid="home">
            First page
          </Button>
        </div>
        {page.detail !== null && (
          <details className="end__detail">
            <summary>Details</summary>
            <p className="mono">{page.detail}</p>
          </details>
        )}
      </main>
    </div>
  );
}
