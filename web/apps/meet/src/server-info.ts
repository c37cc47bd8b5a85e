import { getServerInfo } from '@althing/sdk';
import { useEffect, useState } from 'react';

type Info = Awaited<ReturnType<typeof getServerInfo>>;

/** What the server says of itself; null until it has, or when it cannot be reached: everything works without. */
export function useServerInfo(): Info | null {
  const [info, setInfo] = useState<Info | null>(null);
  useEffect(() => {
    let isOver = false;
    getServerInfo().then(
      (found) => {
        if (!isOver) {
          setInfo(found);
        }
      },
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, []);
  return info;
}
