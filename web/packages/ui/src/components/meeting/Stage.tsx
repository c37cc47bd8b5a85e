import { ChevronLeft, ChevronRight, Monitor, MonitorX } from 'lucide-react';
import {
  type CSSProperties,
  type PointerEvent,
  type ReactNode,
  type TouchEvent,
  useEffect,
  useRef,
  useState,
} from 'react';
import { useMedia, useSessionState, useStats } from '../../hooks/context';
import { useSize } from '../../hooks/dom';
import { type StageChoice, useStage } from '../../hooks/use-stage';
import { arrivalQuality } from '../../model/quality';
import type { Rect } from '../../model/rect';
import { type Arrangement, nearestCorner, nextCorner, type PlacedTile } from '../../model/stage';
import { Button, IconButton } from '../Button';
import { Tile } from './Tile';

interface StageProps {
  readonly room: string;
  readonly choice: StageChoice;
  readonly onChoice: (change: Partial<StageChoice>) => void;
  readonly onInvite: () => void;
}

/** Everybody, and what they share. */
export function Stage({ room, choice, onChoice, onInvite }: StageProps) {
  const [ref, size] = useSize<HTMLElement>();
  const arrangement = useStage(size, choice);
  const ownQuality = useSessionState((state) => state.quality);
  const stats = useStats();
  const media = useMedia();
  const isAlone = useSessionState((state) => state.participants.length === 0);
  const swipe = useSwipe((step) => {
    onChoice({ page: clampPage(arrangement, arrangement.page + step) });
  });
  usePageInRange(arrangement, choice.page, onChoice);

  const render = (placed: PlacedTile) => (
    <Tile
      placed={placed}
      pinned={placed.tile.key === choice.pinnedKey}
      quality={placed.tile.kind === 'self' ? ownQuality : arrivalQuality(stats.received, placed.tile.participantId)}
      onPin={() => {
        onChoice({ pinnedKey: placed.tile.key === choice.pinnedKey ? null : placed.tile.key });
      }}
      onStop={() => {
        if (placed.tile.localId !== null) {
          media.stop(placed.tile.localId);
        }
      }}
      onMoveCorner={() => {
        onChoice({ corner: nextCorner(choice.corner) });
      }}
    />
  );
  return (
    <main ref={ref} className="stage" aria-label="People and shared screens" data-testid="stage" {...swipe}>
      <h1 className="visually-hidden">Meeting {room}</h1>
      {size.width > 0 &&
        inKeyOrder(arrangement).map((placed) => (
          <Place
            key={placed.tile.key}
            placed={placed}
            onDrop={(x, y) => {
              onChoice({ corner: nearestCorner(x, y, size) });
            }}
          >
            {render(placed)}
          </Place>
        ))}
      {isAlone && <Alone onInvite={onInvite} />}
      {arrangement.screenTabs.length > 0 && <ScreenTabs arrangement={arrangement} onChoice={onChoice} />}
      {arrangement.pages > 1 && <Pager arrangement={arrangement} onChoice={onChoice} />}
    </main>
  );
}

/**
 * Tiles in an order that changes only when people come and go, whatever becomes large or floats: a picture whose element
 * is moved in the document stops for a moment.
 */
function inKeyOrder(arrangement: Arrangement): PlacedTile[] {
  const position = new Map(arrangement.order.map((key, index) => [key, index]));
  const at = ({ tile }: PlacedTile) => position.get(tile.key) ?? position.size;
  return [...arrangement.tiles].sort((one, other) => at(one) - at(other));
}

function placeStyle(rect: Rect): CSSProperties {
  return { transform: `translate(${rect.x}px, ${rect.y}px)`, width: rect.width, height: rect.height };
}

function clampPage(arrangement: Arrangement, page: number): number {
  return Math.max(0, Math.min(page, arrangement.pages - 1));
}

/** When people leave, the page shown may be gone. */
function usePageInRange(arrangement: Arrangement, page: number, onChoice: StageProps['onChoice']) {
  useEffect(() => {
    if (page !== arrangement.page) {
      onChoice({ page: arrangement.page });
    }
  });
}

function Alone({ onInvite }: { readonly onInvite: () => void }) {
  return (
    <div className="alone" data-testid="alone">
      <p className="alone__title">You’re the first one here</p>
      <p className="alone__text">Send the link to whoever should come.</p>
      <Button tone="primary" onClick={onInvite} data-testid="alone-invite">
        Invite people
      </Button>
    </div>
  );
}

/** Who shares; with several screens, which one is large. */
function ScreenTabs({
  arrangement,
  onChoice,
}: {
  readonly arrangement: Arrangement;
  readonly onChoice: StageProps['onChoice'];
}) {
  return (
    <div className="screen-tabs" role="group" aria-label="Shared screens" data-testid="screen-tabs">
      {arrangement.screenTabs.map((tile) => (
        <button
          key={tile.key}
          type="button"
          className="screen-tabs__tab"
          aria-pressed={tile.key === arrangement.largeKey}
          data-testid="screen-tab"
          onClick={() => {
            onChoice({ screenKey: tile.key, pinnedKey: null });
          }}
        >
          <Monitor className="icon" size={16} aria-hidden />
          {tile.label}
        </button>
      ))}
    </div>
  );
}

function Pager({
  arrangement,
  onChoice,
}: {
  readonly arrangement: Arrangement;
  readonly onChoice: StageProps['onChoice'];
}) {
  const { page, pages, pagedArea } = arrangement;
  const go = (to: number) => {
    onChoice({ page: clampPage(arrangement, to) });
  };
  const style = { left: pagedArea.x, top: pagedArea.y, width: pagedArea.width, height: pagedArea.height };
  return (
    <div className="pager" style={style} data-testid="pager">
      <IconButton label="Previous people" className="pager__arrow" disabled={page === 0} onClick={() => go(page - 1)}>
        <ChevronLeft className="icon" size={22} aria-hidden />
      </IconButton>
      <span className="pager__text" aria-live="polite">
        <span className="visually-hidden">Page </span>
        {page + 1} / {pages}
      </span>
      <IconButton
        label="More people"
        className="pager__arrow"
        data-testid="next-page"
        disabled={page === pages - 1}
        onClick={() => go(page + 1)}
      >
        <ChevronRight className="icon" size={22} aria-hidden />
      </IconButton>
    </div>
  );
}

interface PlaceProps {
  readonly placed: PlacedTile;
  readonly children: ReactNode;
  /** Where a floating tile was let go: its middle, on the stage. */
  readonly onDrop: (x: number, y: number) => void;
}

/** Less movement than this, in CSS pixels, is a press and not a drag. */
const DRAG_MIN = 6;

/** The place of a tile. One that floats can be dragged, and comes to rest in the nearest corner. */
function Place({ placed, children, onDrop }: PlaceProps) {
  const { rect, role } = placed;
  const start = useRef<{ x: number; y: number } | null>(null);
  const [offset, setOffset] = useState<{ x: number; y: number } | null>(null);
  if (role !== 'floating') {
    return (
      <div className="stage__place" style={placeStyle(rect)}>
        {children}
      </div>
    );
  }
  const move = (event: PointerEvent<HTMLElement>) => {
    if (start.current === null) {
      return;
    }
    const by = { x: event.clientX - start.current.x, y: event.clientY - start.current.y };
    if (offset !== null || Math.hypot(by.x, by.y) > DRAG_MIN) {
      setOffset(by);
    }
  };
  const end = () => {
    if (offset !== null) {
      onDrop(rect.x + rect.width / 2 + offset.x, rect.y + rect.height / 2 + offset.y);
    }
    start.current = null;
    setOffset(null);
  };
  const shown = offset === null ? rect : { ...rect, x: rect.x + offset.x, y: rect.y + offset.y };
  return (
    <div
      className="stage__place stage__place--floating"
      style={placeStyle(shown)}
      data-dragging={offset !== null}
      data-testid="self-floating"
      onPointerDown={(event) => {
        // A press on a control of the tile is not a drag.
        if (!(event.target instanceof Element && event.target.closest('button, [popover]') !== null)) {
          start.current = { x: event.clientX, y: event.clientY };
          event.currentTarget.setPointerCapture(event.pointerId);
        }
      }}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={end}
    >
      {children}
    </div>
  );
}

/** Swiping sideways this far, in CSS pixels, turns the page. */
const SWIPE_MIN = 60;

function useSwipe(onStep: (step: 1 | -1) => void) {
  const start = useRef<{ x: number; y: number } | null>(null);
  return {
    onTouchStart: (event: TouchEvent) => {
      const touch = event.touches[0];
      const onSelf = event.target instanceof Element && event.target.closest('.stage__place--floating') !== null;
      start.current =
        touch === undefined || event.touches.length > 1 || onSelf ? null : { x: touch.clientX, y: touch.clientY };
    },
    onTouchEnd: (event: TouchEvent) => {
      const touch = event.changedTouches[0];
      if (touch === undefined || start.current === null) {
        return;
      }
      const x = touch.clientX - start.current.x;
      const y = touch.clientY - start.current.y;
      if (Math.abs(x) > SWIPE_MIN && Math.abs(x) > 2 * Math.abs(y)) {
        onStep(x < 0 ? 1 : -1);
      }
    },
  };
}

/** Says that one's own screen is seen, with the way to stop it. */
export function SharingNote({ onStop }: { readonly onStop: () => void }) {
  return (
    <div className="sharing-note" role="status" data-testid="sharing-note">
      <Monitor className="icon" size={18} aria-hidden />
      <span>You’re sharing your screen</span>
      <Button tone="danger" onClick={onStop} data-testid="stop-share">
        <MonitorX className="icon" size={18} aria-hidden />
        Stop
      </Button>
    </div>
  );
}
