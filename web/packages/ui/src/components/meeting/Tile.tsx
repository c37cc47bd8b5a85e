import type { Quality, ReceiveQuality } from '@althing/sdk';
import { Maximize, MicOff, Minimize, Pin, PinOff, WifiOff } from 'lucide-react';
import { type CSSProperties, useRef, useState } from 'react';
import { useFullScreen } from '../../hooks/dom';
import { isNoteworthy, qualityWords } from '../../model/quality';
import type { Size } from '../../model/rect';
import type { PlacedTile } from '../../model/stage';
import type { TileVm } from '../../model/tiles';
import { Avatar } from '../Avatar';
import { IconButton } from '../Button';
import { type Fit, OwnVideo, RemoteVideo } from '../video';
import { TileMenu } from './TileMenu';

interface TileProps {
  readonly placed: PlacedTile;
  readonly pinned: boolean;
  readonly quality: Quality | null;
  readonly onPin: () => void;
  readonly onStop: () => void;
  readonly onMoveCorner: () => void;
}

/** One person or screen. */
export function Tile({ placed, pinned, quality, onPin, onStop, onMoveCorner }: TileProps) {
  const { tile, rect, role } = placed;
  const ref = useRef<HTMLDivElement>(null);
  const { isFull, canBeFull, toggle } = useFullScreen(ref);
  const [receive, setReceive] = useState<ReceiveQuality | null>(null);
  const [picture, setPicture] = useState<Size>({ width: 0, height: 0 });
  const fit = isFull ? 'contain' : fitOf(tile, picture, rect);
  const style = {
    '--colour': `var(--avatar-${tile.colour})`,
    '--avatar-size': `${Math.round(Math.max(32, Math.min(160, Math.min(rect.width, rect.height) * 0.42)))}px`,
  } as CSSProperties;
  return (
    <div
      ref={ref}
      className="tile"
      style={style}
      role="group"
      aria-label={spoken(tile)}
      data-testid="tile"
      data-key={tile.key}
      data-participant={tile.participantId}
      data-stream={tile.streamKey ?? tile.localId ?? ''}
      data-kind={tile.kind}
      data-role={role}
      data-own={tile.isOwn}
      data-muted={tile.micMuted}
      data-speaking={tile.speaking}
      data-picture={tile.hasPicture}
      data-away={tile.away}
      data-small={Math.min(rect.width, rect.height * 1.4) < 170}
    >
      {tile.kind !== 'screen' && <Avatar name={tile.name} colour={tile.colour} size="var(--avatar-size)" />}
      <Picture tile={tile} fit={fit} receive={receive} onSize={(width, height) => setPicture({ width, height })} />
      {tile.away && <Away />}
      <div className="tile__controls">
        <IconButton
          label={pinned ? `Unpin ${tile.label}` : `Pin ${tile.label}`}
          className="tile__button"
          aria-pressed={pinned}
          data-testid="pin"
          onClick={onPin}
        >
          {pinned ? <PinOff className="icon" size={20} aria-hidden /> : <Pin className="icon" size={20} aria-hidden />}
        </IconButton>
        {canBeFull && role !== 'floating' && (
          <IconButton
            label={isFull ? 'Leave full screen' : `Show ${tile.label} full screen`}
            className="tile__button tile__button--full"
            data-testid="full-screen"
            onClick={toggle}
          >
            {isFull ? (
              <Minimize className="icon" size={20} aria-hidden />
            ) : (
              <Maximize className="icon" size={20} aria-hidden />
            )}
          </IconButton>
        )}
        <TileMenu
          tile={tile}
          role={role}
          pinned={pinned}
          receive={receive}
          onReceive={setReceive}
          onPin={onPin}
          onStop={onStop}
          onMoveCorner={onMoveCorner}
        />
      </div>
      <Label tile={tile} pinned={pinned} quality={quality} />
    </div>
  );
}

interface PictureProps {
  readonly tile: TileVm;
  readonly fit: Fit;
  readonly receive: ReceiveQuality | null;
  readonly onSize: (width: number, height: number) => void;
}

function Picture({ tile, fit, receive, onSize }: PictureProps) {
  if (tile.localId !== null) {
    return <OwnVideo localId={tile.localId} fit={fit} mirrored={tile.mirrored} />;
  }
  if (tile.streamKey !== null) {
    return <RemoteVideo streamKey={tile.streamKey} fit={fit} quality={receive} onSize={onSize} />;
  }
  return null;
}

/** A picture that would lose more than this part of itself is shown whole instead of cropped. */
const CROP_MAX = 0.68;

/** Screens are shown whole. Cameras fill their tile unless too much would be cut off (an upright phone in a wide tile). */
function fitOf(tile: TileVm, picture: Size, rect: Size): Fit {
  if (tile.kind === 'screen') {
    return 'contain';
  }
  if (picture.width === 0 || picture.height === 0 || rect.height === 0) {
    return 'cover';
  }
  const ratio = picture.width / picture.height / (rect.width / rect.height);
  return Math.min(ratio, 1 / ratio) < 1 - CROP_MAX ? 'contain' : 'cover';
}

function spoken(tile: TileVm): string {
  const parts = [tile.isOwn && tile.kind === 'self' ? `${tile.name} (you)` : tile.label];
  if (tile.kind !== 'screen') {
    parts.push(tile.micMuted ? 'microphone off' : 'microphone on', tile.hasPicture ? 'camera on' : 'camera off');
  }
  if (tile.away) {
    parts.push('reconnecting');
  }
  return parts.join(', ');
}

function Away() {
  return (
    <div className="tile__away" data-testid="tile-reconnecting">
      <WifiOff className="icon" size={22} aria-hidden />
      <span>Reconnecting…</span>
    </div>
  );
}

interface LabelProps {
  readonly tile: TileVm;
  readonly pinned: boolean;
  readonly quality: Quality | null;
}

function Label({ tile, pinned, quality }: LabelProps) {
  return (
    <div className="tile__label" aria-hidden>
      {pinned && <Pin className="icon" size={14} />}
      {tile.kind !== 'screen' &&
        (tile.micMuted ? (
          <MicOff className="icon tile__muted" size={15} data-testid="tile-muted" />
        ) : (
          <SpeakingMark speaking={tile.speaking} />
        ))}
      <span className="tile__name">{tile.label}</span>
      {isNoteworthy(quality) && <QualityMark quality={quality} />}
    </div>
  );
}

function SpeakingMark({ speaking }: { readonly speaking: boolean }) {
  return (
    <span className="speaking-mark" data-on={speaking}>
      <i />
      <i />
      <i />
    </span>
  );
}

/** Bars of a connection; its words are the tooltip. */
export function QualityMark({ quality }: { readonly quality: Quality }) {
  return (
    <span className="quality" data-quality={quality} title={qualityWords(quality)} data-testid="quality">
      <svg className="icon" width={16} height={14} viewBox="0 0 16 14" aria-hidden>
        {[1, 2, 3, 4].map((bar) => (
          <rect
            key={bar}
            x={(bar - 1) * 4}
            y={14 - bar * 3.5}
            width={3}
            height={bar * 3.5}
            rx={1}
            fill="currentColor"
            opacity={bar <= quality ? 1 : 0.35}
          />
        ))}
      </svg>
      <span className="visually-hidden">{qualityWords(quality)}</span>
    </span>
  );
}
