import { ArrowRight, Plus, Settings } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { displayName } from '../../model/person';
import { roomFromInput } from '../../model/rooms';
import { Button, IconButton } from '../Button';
import { ThemeChoice } from '../dialogs/SettingsDialog';
import { Dialog } from '../Dialog';
import { Wordmark } from '../Logo';

interface StartScreenProps {
  /** Remembered from last time; empty: none. */
  readonly name: string;
  readonly isBusy: boolean;
  /** Why a new meeting could not be made. */
  readonly error: string | null;
  readonly version: string | null;
  readonly onNew: () => void;
  readonly onJoin: (room: string) => void;
}

/** The first page: one thing to do. */
export function StartScreen({ name, isBusy, error, version, onNew, onJoin }: StartScreenProps) {
  const [isLookOpen, setLookOpen] = useState(false);
  return (
    <div className="start" data-testid="start">
      <header className="start__head">
        <Wordmark />
        <IconButton label="Appearance" onClick={() => setLookOpen(true)} data-testid="look">
          <Settings className="icon" size={22} aria-hidden />
        </IconButton>
      </header>
      <main className="start__main">
        <div className="start__words">
          {name !== '' && <p className="start__hello">Hello, {displayName(name)}</p>}
          <h1 className="start__title">Meet on your own ground.</h1>
          <p className="start__lead">
            Video meetings that run on this server and nowhere else. No account, nothing to install: share a link, and
            talk.
          </p>
          <div className="start__actions">
            <Button tone="primary" large disabled={isBusy} onClick={onNew} data-testid="new-meeting">
              <Plus className="icon" size={22} aria-hidden />
              {isBusy ? 'One moment…' : 'New meeting'}
            </Button>
            <JoinForm onJoin={onJoin} />
          </div>
          {error !== null && (
            <p className="field__error" role="alert" data-testid="start-error">
              {error}
            </p>
          )}
        </div>
        <Assembly />
      </main>
      <footer className="start__foot">Althing{version === null ? '' : ` ${version}`} · free software</footer>
      {isLookOpen && (
        <Dialog title="Appearance" onClose={() => setLookOpen(false)}>
          <ThemeChoice />
        </Dialog>
      )}
    </div>
  );
}

function JoinForm({ onJoin }: { readonly onJoin: (room: string) => void }) {
  const [typed, setTyped] = useState('');
  const [isWrong, setWrong] = useState(false);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const room = roomFromInput(typed);
    if (room === null) {
      setWrong(true);
    } else {
      onJoin(room);
    }
  };
  return (
    <form className="start__join" onSubmit={submit} noValidate>
      <label className="visually-hidden" htmlFor="join-code">
        Link or name of a meeting
      </label>
      <input
        id="join-code"
        className="input"
        placeholder="Link or name of a meeting"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={typed}
        aria-invalid={isWrong}
        aria-describedby={isWrong ? 'join-error' : undefined}
        data-testid="join-code"
        onChange={(event) => {
          setTyped(event.target.value);
          setWrong(false);
        }}
      />
      <Button type="submit" tone="quiet" disabled={typed.trim() === ''} data-testid="join-by-code">
        Join
        <ArrowRight className="icon" size={18} aria-hidden />
      </Button>
      {isWrong && (
        <p id="join-error" className="field__error" role="alert">
          That is not a link or name of a meeting.
        </p>
      )}
    </form>
  );
}

/** A drawing of an assembly: people on a half circle around the one who speaks. */
function Assembly() {
  return (
    <svg className="assembly" viewBox="0 0 520 420" aria-hidden>
      {RINGS.map((ring) => (
        <path key={ring.radius} className="assembly__arc" d={arc(ring.radius)} />
      ))}
      {RINGS.flatMap((ring) =>
        Array.from({ length: ring.people }, (_, index) => {
          const [x, y] = seat(ring.radius, (index + 0.5) / ring.people);
          const colour = (index * 3 + ring.people) % 8;
          return (
            <circle key={`${ring.radius}/${index}`} cx={x} cy={y} r={ring.size} fill={`var(--avatar-${colour})`} />
          );
        }),
      )}
      <circle className="assembly__wave assembly__wave--3" cx="260" cy="330" r="74" />
      <circle className="assembly__wave assembly__wave--2" cx="260" cy="330" r="56" />
      <circle className="assembly__speaker" cx="260" cy="330" r="36" />
    </svg>
  );
}

const RINGS = [
  { radius: 128, people: 5, size: 20 },
  { radius: 186, people: 8, size: 18 },
  { radius: 240, people: 11, size: 16 },
] as const;

/** A place on a half circle around (260, 330); `at` runs from 0 (left) to 1 (right). */
function seat(radius: number, at: number): readonly [number, number] {
  const angle = Math.PI * (1.04 - 1.08 * at);
  return [260 + radius * Math.cos(angle), 330 - radius * Math.sin(angle)];
}

function arc(radius: number): string {
  const [x0, y0] = seat(radius, 0);
  const [x1, y1] = seat(radius, 1);
  return `M${x0} ${y0}A${radius} ${radius} 0 1 1 ${x1} ${y1}`;
}
