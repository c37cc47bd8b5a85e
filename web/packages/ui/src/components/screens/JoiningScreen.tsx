import { useEffect, useState } from 'react';
import { Button } from '../Button';
import { Mark } from '../Logo';

interface JoiningScreenProps {
  readonly room: string;
  /** The server has not answered; it is tried again and again. */
  readonly isRetrying: boolean;
  readonly onRetry: () => void;
  readonly onCancel: () => void;
}

/** After so long without success it is said that something is slow. */
const SLOW_AFTER_MS = 5_000;

/** Between *Join now* and the meeting; seldom longer than a blink. */
export function JoiningScreen({ room, isRetrying, onRetry, onCancel }: JoiningScreenProps) {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSlow(true);
    }, SLOW_AFTER_MS);
    return () => {
      clearTimeout(timer);
    };
  }, []);
  const isTroubled = isRetrying || isSlow;
  return (
    <main className="joining" data-testid="joining" data-retrying={isRetrying}>
      <div className="joining__mark">
        <Mark size={72} />
      </div>
      <div role="status" className="joining__words">
        <h1 className="joining__title">{isRetrying ? 'The server can’t be reached' : `Joining ${room}…`}</h1>
        {isTroubled && (
          <p>{isRetrying ? 'We keep trying. Check your network meanwhile.' : 'This takes longer than it should.'}</p>
        )}
      </div>
      <div className="end__actions">
        {isRetrying && (
          <Button tone="primary" onClick={onRetry} data-testid="retry">
            Try now
          </Button>
        )}
        <Button tone="quiet" onClick={onCancel} data-testid="cancel-join">
          Cancel
        </Button>
      </div>
    </main>
  );
}
