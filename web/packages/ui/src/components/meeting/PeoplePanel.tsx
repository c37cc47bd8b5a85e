import type { Participant } from '@althing/sdk';
import { type LucideIcon, MicOff, Monitor, UserPlus, VideoOff, WifiOff, X } from 'lucide-react';
import { useMediaState, useSessionState, useStats } from '../../hooks/context';
import { avatarColour, displayName } from '../../model/person';
import { arrivalQuality, isNoteworthy } from '../../model/quality';
import { Avatar } from '../Avatar';
import { Button, IconButton } from '../Button';
import { QualityMark } from './Tile';

interface PeoplePanelProps {
  readonly onClose: () => void;
  readonly onInvite: () => void;
}

/** Who is here. */
export function PeoplePanel({ onClose, onInvite }: PeoplePanelProps) {
  const participants = useSessionState((state) => state.participants);
  return (
    <aside className="panel" aria-label="People" data-testid="people-panel">
      <header className="panel__head">
        <h2 className="panel__title">
          People <span className="panel__count">{participants.length + 1}</span>
        </h2>
        <IconButton label="Close people" onClick={onClose} data-testid="panel-close">
          <X className="icon" size={22} aria-hidden />
        </IconButton>
      </header>
      <div className="panel__action">
        <Button tone="quiet" wide onClick={onInvite}>
          <UserPlus className="icon" size={20} aria-hidden />
          Invite people
        </Button>
      </div>
      <ul className="people">
        <Self />
        {participants.map((person) => (
          <Person key={person.id} person={person} />
        ))}
      </ul>
    </aside>
  );
}

function Self() {
  const id = useSessionState((state) => state.selfId) ?? 'self';
  const name = displayName(useSessionState((state) => state.profile.name));
  const quality = useSessionState((state) => state.quality);
  const microphone = useMediaState((state) => state.microphone);
  const camera = useMediaState((state) => state.camera);
  return (
    <li className="people__row" data-testid="person" data-participant={id}>
      <Avatar name={name} colour={avatarColour(id)} />
      <span className="people__name">
        {name} <span className="people__you">(you)</span>
      </span>
      {isNoteworthy(quality) && <QualityMark quality={quality} />}
      {(microphone.muted || microphone.state !== 'live') && <Mark text="Microphone off" icon={MicOff} />}
      {(camera.muted || camera.state !== 'live') && <Mark text="Camera off" icon={VideoOff} />}
    </li>
  );
}

function Person({ person }: { readonly person: Participant }) {
  const stats = useStats();
  const name = displayName(person.name);
  const quality = arrivalQuality(stats.received, person.id);
  const isAway = person.connection !== 'connected';
  return (
    <li className="people__row" data-testid="person" data-participant={person.id} data-away={isAway}>
      <Avatar name={name} colour={avatarColour(person.id)} />
      <span className="people__name">
        {name}
        {isAway && (
          <span className="people__note">{person.connection === 'connecting' ? 'Joining…' : 'Reconnecting…'}</span>
        )}
      </span>
      {person.connection === 'reconnecting' && <Mark text="Reconnecting" icon={WifiOff} />}
      {isNoteworthy(quality) && <QualityMark quality={quality} />}
      {person.screens.length > 0 && <Mark text="Shares a screen" icon={Monitor} />}
      {person.audioMuted && <Mark text="Microphone off" icon={MicOff} />}
      {person.videoMuted && <Mark text="Camera off" icon={VideoOff} />}
    </li>
  );
}

function Mark({ text, icon: Icon }: { readonly text: string; readonly icon: LucideIcon }) {
  return (
    <span className="people__mark" title={text}>
      <Icon className="icon" size={18} aria-hidden />
      <span className="visually-hidden">{text}</span>
    </span>
  );
}
