import type { ReceiveQuality } from '@althing/sdk';
import { EllipsisVertical, MonitorX, Move, Pin, PinOff, Volume2 } from 'lucide-react';
import { useState } from 'react';
import { useSession, useStats } from '../../hooks/context';
import { resolution } from '../../model/numbers';
import type { PlacedTile } from '../../model/stage';
import type { TileVm } from '../../model/tiles';
import { Menu, MenuHeading, MenuItem, MenuLine } from '../Menu';

interface TileMenuProps {
  readonly tile: TileVm;
  readonly role: PlacedTile['role'];
  readonly pinned: boolean;
  readonly receive: ReceiveQuality | null;
  readonly onReceive: (quality: ReceiveQuality | null) => void;
  readonly onPin: () => void;
  readonly onStop: () => void;
  readonly onMoveCorner: () => void;
}

/** What can be done with one tile. */
export function TileMenu(props: TileMenuProps) {
  const { tile, role, pinned, onPin } = props;
  const isOwnExtra = tile.isOwn && tile.kind !== 'self';
  return (
    <Menu
      label={`More for ${tile.label}`}
      buttonClass="icon-button tile__button"
      button={<EllipsisVertical className="icon" size={20} aria-hidden />}
      testId="tile-menu"
    >
      <MenuItem
        icon={
          pinned ? <PinOff className="icon" size={20} aria-hidden /> : <Pin className="icon" size={20} aria-hidden />
        }
        onSelect={onPin}
      >
        {pinned ? 'Unpin' : 'Pin to the stage'}
      </MenuItem>
      {role === 'floating' && (
        <MenuItem icon={<Move className="icon" size={20} aria-hidden />} onSelect={props.onMoveCorner}>
          Move to the next corner
        </MenuItem>
      )}
      {isOwnExtra && (
        <MenuItem
          icon={<MonitorX className="icon" size={20} aria-hidden />}
          danger
          onSelect={props.onStop}
          testId="stop"
        >
          {tile.kind === 'screen' ? 'Stop sharing' : 'Stop this camera'}
        </MenuItem>
      )}
      {tile.streamKey !== null && (
        <QualityChoice streamKey={tile.streamKey} receive={props.receive} onReceive={props.onReceive} />
      )}
      {!tile.isOwn && <Volume participantId={tile.participantId} name={tile.name} />}
    </Menu>
  );
}

const QUALITIES: readonly { readonly value: ReceiveQuality | null; readonly text: string; readonly note: string }[] = [
  { value: null, text: 'Automatic', note: 'Fits the size of the tile' },
  { value: 'high', text: 'High', note: 'Always the sharpest picture' },
  { value: 'medium', text: 'Medium', note: 'Saves data' },
  { value: 'low', text: 'Low', note: 'Saves most' },
];

interface QualityChoiceProps {
  readonly streamKey: string;
  readonly receive: ReceiveQuality | null;
  readonly onReceive: (quality: ReceiveQuality | null) => void;
}

function QualityChoice({ streamKey, receive, onReceive }: QualityChoiceProps) {
  const stream = useStats().received.find((one) => one.key === streamKey);
  const size = stream === undefined || stream.width === 0 ? null : resolution(stream.width, stream.height);
  return (
    <>
      <MenuLine />
      <MenuHeading>{size === null ? 'Quality received here' : `Quality received here: ${size}`}</MenuHeading>
      {QUALITIES.map(({ value, text, note }) => (
        <MenuItem
          key={text}
          checked={receive === value}
          note={
            value === receive && value !== null && stream?.reason === 'bandwidth'
              ? 'Your connection carries less'
              : note
          }
          testId={`quality-${value ?? 'auto'}`}
          onSelect={() => {
            onReceive(value);
          }}
        >
          {text}
        </MenuItem>
      ))}
    </>
  );
}

function Volume({ participantId, name }: { readonly participantId: string; readonly name: string }) {
  const session = useSession();
  const [percent, setPercent] = useState(100);
  return (
    <>
      <MenuLine />
      <label className="menu__slider">
        <Volume2 className="icon" size={20} aria-hidden />
        <span className="visually-hidden">Loudness of {name} for you</span>
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={percent}
          onChange={(event) => {
            const next = event.target.valueAsNumber;
            setPercent(next);
            session.setVolume(participantId, next / 100);
          }}
        />
        <span className="mono">{percent} %</span>
      </label>
    </>
  );
}
