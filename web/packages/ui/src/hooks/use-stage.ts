import { useMemo, useState } from 'react';
import { stepOrder } from '../model/order';
import type { Size } from '../model/rect';
import { type Arrangement, arrange, type Corner, type LayoutMode } from '../model/stage';
import { tilesOf } from '../model/tiles';
import { useMediaState, useSessionState } from './context';

/** What the user chose on the stage. */
export interface StageChoice {
  readonly mode: LayoutMode;
  readonly pinnedKey: string | null;
  readonly screenKey: string | null;
  readonly page: number;
  readonly corner: Corner;
}

/** Who is where on a stage of this size, now. Remembers the order, so that people stay in their places. */
export function useStage(size: Size, choice: StageChoice): Arrangement {
  const session = useSessionState((state) => state);
  const media = useMediaState((state) => state);
  const tiles = useMemo(() => tilesOf(session, media), [session, media]);

  const [orderBefore, setOrder] = useState<readonly string[]>([]);
  const order = useMemo(
    () =>
      stepOrder(
        orderBefore,
        tiles.map((tile) => tile.key),
      ),
    [orderBefore, tiles],
  );
  const arrangement = useMemo(
    () => arrange({ tiles, order, size, stage: session.stage, recentSpeakers: session.recentSpeakers, ...choice }),
    [tiles, order, size, session.stage, session.recentSpeakers, choice],
  );
  if (arrangement.order !== orderBefore) {
    setOrder(arrangement.order);
  }
  return arrangement;
}
