import {
  ChartNoAxesColumn,
  EllipsisVertical,
  Keyboard,
  LayoutGrid,
  Maximize,
  MessageSquareText,
  Mic,
  MicOff,
  PhoneOff,
  Presentation,
  Settings,
  SwitchCamera as SwitchCameraIcon,
  UserPlus,
  Users,
  Video,
  VideoOff,
} from 'lucide-react';
import { useMedia, useMediaState, useSessionState } from '../../hooks/context';
import { useNow } from '../../hooks/dom';
import { setPreferences } from '../../hooks/preferences';
import { badgeText } from '../../model/chat-view';
import { duration } from '../../model/numbers';
import type { LayoutMode } from '../../model/stage';
import { useMicrophoneBars } from '../LevelMeter';
import { Menu, MenuItem, MenuLine } from '../Menu';
import { CameraMenu, SoundMenu } from './DeviceMenus';
import { ShareControl } from './ShareControl';
import { ToolButton } from './ToolButton';

/** What the toolbar can open. */
export type Panel = 'chat' | 'people';

/** Dialogs of a meeting. */
export type MeetingDialog = 'settings' | 'quality' | 'statistics' | 'invite' | 'shortcuts';

interface ToolbarProps {
  readonly room: string;
  readonly mode: LayoutMode;
  readonly panel: Panel | null;
  readonly unread: number;
  readonly onMicrophone: () => void;
  readonly onCamera: () => void;
  readonly onMode: () => void;
  readonly onPanel: (panel: Panel) => void;
  readonly onDialog: (dialog: MeetingDialog) => void;
  readonly onLeave: () => void;
}

/** Everything one does in a meeting, in reach of a thumb. */
export function Toolbar(props: ToolbarProps) {
  const people = useSessionState((state) => state.participants.length) + 1;
  return (
    <footer className="toolbar">
      <div className="toolbar__side">
        <Clock />
        <button type="button" className="toolbar__room" data-testid="invite" onClick={() => props.onDialog('invite')}>
          <span className="toolbar__name">{props.room}</span>
          <UserPlus className="icon" size={18} aria-hidden />
          <span className="visually-hidden">Invite people</span>
        </button>
      </div>
      <div className="toolbar__middle" role="toolbar" aria-label="Meeting controls">
        <MicrophoneControl onToggle={props.onMicrophone} onSettings={() => props.onDialog('settings')} />
        <CameraControl onToggle={props.onCamera} onSettings={() => props.onDialog('settings')} />
        <ShareControl />
        <div className="tool tool--desktop">
          <ToolButton
            label={props.mode === 'grid' ? 'Speaker layout' : 'Grid layout'}
            shortcut="L"
            testId="layout-toggle"
            onClick={props.onMode}
          >
            {props.mode === 'grid' ? (
              <Presentation className="icon" size={24} aria-hidden />
            ) : (
              <LayoutGrid className="icon" size={24} aria-hidden />
            )}
          </ToolButton>
        </div>
        <div className="tool tool--phone">
          <ToolButton
            label={chatLabel(props)}
            pressed={props.panel === 'chat'}
            testId="chat-toggle-phone"
            badge={badgeText(props.unread)}
            onClick={() => props.onPanel('chat')}
          >
            <MessageSquareText className="icon" size={24} aria-hidden />
          </ToolButton>
        </div>
        <MoreMenu {...props} people={people} />
        <div className="tool tool--leave">
          <ToolButton label="Leave the meeting" testId="leave" onClick={props.onLeave}>
            <PhoneOff className="icon" size={24} aria-hidden />
          </ToolButton>
        </div>
      </div>
      <div className="toolbar__side toolbar__side--end">
        <div className="tool tool--plain">
          <ToolButton
            label={`People, ${people} here`}
            shortcut="P"
            pressed={props.panel === 'people'}
            testId="people-toggle"
            onClick={() => props.onPanel('people')}
          >
            <Users className="icon" size={24} aria-hidden />
            <span className="tool__count" data-testid="people-count">
              {people}
            </span>
          </ToolButton>
        </div>
        <div className="tool tool--plain">
          <ToolButton
            label={chatLabel(props)}
            shortcut="C"
            pressed={props.panel === 'chat'}
            testId="chat-toggle"
            badge={badgeText(props.unread)}
            onClick={() => props.onPanel('chat')}
          >
            <MessageSquareText className="icon" size={24} aria-hidden />
          </ToolButton>
        </div>
      </div>
    </footer>
  );
}

function chatLabel({ unread }: ToolbarProps): string {
  return unread === 0 ? 'Chat' : `Chat, ${unread} unread`;
}

function Clock() {
  const joinedAtMs = useSessionState((state) => state.joinedAtMs);
  const now = useNow();
  return (
    <span className="toolbar__clock mono" role="timer" aria-label="Time in this meeting">
      {joinedAtMs === null ? '00:00' : duration(now - joinedAtMs)}
    </span>
  );
}

interface DeviceControlProps {
  readonly onToggle: () => void;
  readonly onSettings: () => void;
}

function MicrophoneControl({ onToggle, onSettings }: DeviceControlProps) {
  const { state, muted } = useMediaState((snapshot) => snapshot.microphone);
  const isOn = state === 'live' && !muted;
  return (
    <div className="tool tool--split" data-state={state === 'failed' ? 'failed' : isOn ? 'on' : 'off'}>
      <ToolButton
        label={isOn ? 'Switch microphone off' : 'Switch microphone on'}
        shortcut="M"
        pressed={isOn}
        testId="mic"
        onClick={onToggle}
      >
        {isOn ? <Mic className="icon" size={24} aria-hidden /> : <MicOff className="icon" size={24} aria-hidden />}
        {isOn && <MicrophoneLevel />}
        {state === 'failed' && <FailedMark />}
      </ToolButton>
      <SoundMenu onSettings={onSettings} />
    </div>
  );
}

/** A line below the microphone that grows with the voice: one sees that one is heard. */
function MicrophoneLevel() {
  const bars = useMicrophoneBars(8);
  return <span className="tool__level" data-level={bars} style={{ scale: `${bars / 8} 1` }} aria-hidden />;
}

function CameraControl({ onToggle, onSettings }: DeviceControlProps) {
  const { state, muted } = useMediaState((snapshot) => snapshot.camera);
  const isOn = state === 'live' && !muted;
  return (
    <div className="tool tool--split" data-state={state === 'failed' ? 'failed' : isOn ? 'on' : 'off'}>
      <ToolButton
        label={isOn ? 'Switch camera off' : 'Switch camera on'}
        shortcut="V"
        pressed={isOn}
        testId="cam"
        onClick={onToggle}
      >
        {isOn ? <Video className="icon" size={24} aria-hidden /> : <VideoOff className="icon" size={24} aria-hidden />}
        {state === 'failed' && <FailedMark />}
      </ToolButton>
      <CameraMenu onSettings={onSettings} />
    </div>
  );
}

function FailedMark() {
  return (
    <span className="badge badge--warn" aria-hidden>
      !
    </span>
  );
}

function MoreMenu(props: ToolbarProps & { readonly people: number }) {
  return (
    <div className="tool">
      <Menu
        label="More"
        buttonClass="tool__button"
        button={<EllipsisVertical className="icon" size={24} aria-hidden />}
        testId="more"
      >
        <div className="menu__phone">
          <MenuItem
            icon={<Users className="icon" size={20} aria-hidden />}
            testId="people-toggle-phone"
            onSelect={() => props.onPanel('people')}
          >
            People ({props.people})
          </MenuItem>
          <MenuItem
            icon={<LayoutGrid className="icon" size={20} aria-hidden />}
            testId="layout-toggle-phone"
            onSelect={props.onMode}
          >
            {props.mode === 'grid' ? 'Speaker layout' : 'Grid layout'}
          </MenuItem>
        </div>
        <SwitchCamera />
        <MenuItem
          icon={<UserPlus className="icon" size={20} aria-hidden />}
          testId="more-invite"
          onSelect={() => props.onDialog('invite')}
        >
          Invite people
        </MenuItem>
        <MenuItem
          icon={<Maximize className="icon" size={20} aria-hidden />}
          testId="page-full-screen"
          disabled={!document.fullscreenEnabled}
          onSelect={togglePageFullScreen}
        >
          Full screen on or off
        </MenuItem>
        <MenuLine />
        <MenuItem
          icon={<Settings className="icon" size={20} aria-hidden />}
          testId="settings"
          onSelect={() => props.onDialog('settings')}
        >
          Settings
        </MenuItem>
        <MenuItem
          icon={<ChartNoAxesColumn className="icon" size={20} aria-hidden />}
          testId="statistics"
          onSelect={() => props.onDialog('statistics')}
        >
          Statistics
        </MenuItem>
        <MenuItem
          icon={<Keyboard className="icon" size={20} aria-hidden />}
          shortcut="?"
          testId="shortcuts"
          onSelect={() => props.onDialog('shortcuts')}
        >
          Keyboard shortcuts
        </MenuItem>
      </Menu>
    </div>
  );
}

/** On phones: the camera on the other side. */
function SwitchCamera() {
  const media = useMedia();
  const cameras = useMediaState((state) => state.cameras);
  const current = useMediaState((state) => state.camera.deviceId);
  const at = cameras.findIndex((device) => device.id === current);
  const next = cameras[(at + 1) % cameras.length];
  if (next === undefined || cameras.length < 2) {
    return null;
  }
  return (
    <div className="menu__phone">
      <MenuItem
        icon={<SwitchCameraIcon className="icon" size={20} aria-hidden />}
        testId="switch-camera"
        onSelect={() => {
          setPreferences({ cameraId: next.id });
          void media.selectCamera(next.id);
        }}
      >
        Switch camera
      </MenuItem>
    </div>
  );
}

function togglePageFullScreen() {
  const change =
    document.fullscreenElement === null ? document.documentElement.requestFullscreen() : document.exitFullscreen();
  change.catch(() => undefined);
}
