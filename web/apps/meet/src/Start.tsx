import { AlthingError, createRoom } from '@althing/sdk';
import { failurePageOf, roomPath, StartScreen, usePreferences } from '@althing/ui';
import { useState } from 'react';
import { useServerInfo } from './server-info';
import { navigate } from './router';

/** The first page. */
export function Start() {
  const { name } = usePreferences();
  const info = useServerInfo();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const start = async () => {
    setBusy(true);
    setError(null);
    try {
      navigate(roomPath(await createRoom()));
    } catch (cause) {
      const page = failurePageOf(cause instanceof AlthingError ? cause : new AlthingError('unknown', String(cause)));
      setError(`${page.title}. ${page.text}`);
      setBusy(false);
    }
  };
  return (
    <StartScreen
      name={name}
      isBusy={isBusy}
      error={error}
      version={info?.version ?? null}
      onNew={() => void start()}
      onJoin={(room) => navigate(roomPath(room))}
    />
  );
}
