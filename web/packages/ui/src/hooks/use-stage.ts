import { useEffect, useMemo, useState } from 'react';
import { EMPTY_FLOOR, stepFloor } from '../model/floor';
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

/** Who is where on a stage of this size, now. Remembers order and speaker, so that people stay in their places. */
export function useStage(size: Size, choice: StageChoice): Arrangement {
  const session = useSessionState((state) => state);
  const media = useMediaState((state) => state);
  const tiles = useMemo(() => tilesOf(session, media), [session, media]);
  const speakerId = useFloor();

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
    () => arrange({ tiles, order, size, speakerId, recentSpeakers: session.recentSpeakers, ...choice }),
    [tiles, order, size, speakerId, session.recentSpeakers, choice],
  );
  if (arrangement.order !== orderBefore) {
    setOrder(arrangement.order);
  }
  return arrangement;
}

function useFloor(): string | null {
  const speakers = useSessionState((state) => state.speakers);
  const participants = useSessionState((state) => state.participants);
  const present = useMemo(() => new Set(participants.map((person) => person.id)), [participants]);
  const [floor, setFloor] = useState(EMPTY_FLOOR);
  useEffect(() => {
    const step = () => {
      setFloor((before) => stepFloor(before, speakers, present, performance.now()));
    };
    step();
  }, [speakers, present]);
  useEffect(() => {
    if (floor.wakeAtMs === null) {
      return;
    }
    const timer = setTimeout(
      () => {
        setFloor((before) => stepFloor(before, speakers, present, performance.now()));
      },
      Math.max(0, floor.wakeAtMs - performance.now()) + 5,
    );
    return () => {
      clearTimeout(timer);
    };
  }, [floor, speakers, present]);
  return floor.holderId;
}
