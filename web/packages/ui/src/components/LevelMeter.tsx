import { useEffect, useState } from 'react';
import { useMedia } from '../hooks/context';
import { levelBars } from '../model/numbers';

interface LevelMeterProps {
  readonly bars?: number;
}

/** How loud the microphone is. Decorative for screen readers: a number twenty times a second helps nobody. */
export function LevelMeter({ bars = 16 }: LevelMeterProps) {
  const lit = useMicrophoneBars(bars);
  return (
    <div className="meter" aria-hidden data-testid="mic-level" data-level={lit}>
      {Array.from({ length: bars }, (_, index) => (
        <span key={index} className={index < lit ? 'meter__bar meter__bar--on' : 'meter__bar'} />
      ))}
    </div>
  );
}

/** How many of `bars` the microphone's level fills now. */
export function useMicrophoneBars(bars: number): number {
  const media = useMedia();
  const [lit, setLit] = useState(0);
  useEffect(
    () =>
      media.onLevel((level) => {
        setLit(levelBars(level, bars));
      }),
    [media, bars],
  );
  return lit;
}
