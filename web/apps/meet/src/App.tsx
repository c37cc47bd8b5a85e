import { AlthingError } from '@althing/sdk';
import { EndScreen, failurePageOf, roomFromPath } from '@althing/ui';
import { useEffect } from 'react';
import { Room } from './Room';
import { navigate, usePath } from './router';
import { Start } from './Start';

/** Which page is shown. */
export function App() {
  const path = usePath();
  const room = roomFromPath(path);
  useEffect(() => {
    document.title = room === null ? 'Althing' : `${room} · Althing`;
  }, [room]);
  if (room === null) {
    return path.startsWith('/m/') ? <NoSuchRoom /> : <Start />;
  }
  // Another room is another component: nothing of the one before may stay.
  return <Room key={room} room={room} onHome={() => navigate('/')} />;
}

/** A link whose name no room can have. */
function NoSuchRoom() {
  const page = failurePageOf(new AlthingError('not_found', 'No room can have this name.'));
  const home = () => navigate('/');
  return <EndScreen page={page} onAction={home} onHome={home} />;
}
