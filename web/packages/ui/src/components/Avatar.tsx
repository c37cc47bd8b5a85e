import type { CSSProperties } from 'react';
import { initials } from '../model/person';

interface AvatarProps {
  readonly name: string;
  readonly colour: number;
  /** Side, as CSS length. */
  readonly size?: string;
}

/** Initials on a coloured disc. */
export function Avatar({ name, colour, size = '40px' }: AvatarProps) {
  const style = { '--size': size, '--colour': `var(--avatar-${colour})` } as CSSProperties;
  return (
    <span className="avatar" style={style} aria-hidden>
      {initials(name)}
    </span>
  );
}
