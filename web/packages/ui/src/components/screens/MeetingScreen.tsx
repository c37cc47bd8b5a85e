import { useCallback, useEffect, useMemo, useState } from 'react';
import { useMedia, useMediaState, useSessionState } from '../../hooks/context';
import { useShortcuts, useWakeLock } from '../../hooks/dom';
import { setPreferences, usePreferences } from '../../hooks/preferences';
import { useMeetingNews } from '../../hooks/use-meeting-news';
import { useNotices } from '../../hooks/use-notices';
import type { StageChoice } from '../../hooks/use-stage';
import { useUnread } from '../../hooks/use-unread';
import type { InviteLinks } from '../../model/invite';
import type { Shortcut } from '../../model/shortcuts';
import { InviteDialog } from '../dialogs/InviteDialog';
import { SettingsDialog } from '../dialogs/SettingsDialog';
import { ShortcutsDialog } from '../dialogs/ShortcutsDialog';
import { ChatPanel } from '../meeting/ChatPanel';
import { DeviceTroubleDialog } from '../meeting/DeviceTroubleDialog';
import { Banners, Toasts } from '../meeting/Notices';
import { PeoplePanel } from '../meeting/PeoplePanel';
import { SharingNote, Stage } from '../meeting/Stage';
import { type MeetingDialog, type Panel, Toolbar } from '../meeting/Toolbar';

interface MeetingScreenProps {
  readonly room: string;
  readonly links: InviteLinks;
  readonly onLeave: () => void;
  /** What is open at first; for showing states without clicking. */
  readonly initial?: {
    readonly panel?: Panel;
    readonly dialog?: MeetingDialog;
    readonly choice?: Partial<StageChoice>;
  };
}

/** The meeting. */
export function MeetingScreen({ room, links, onLeave, initial }: MeetingScreenProps) {
  const { layout } = usePreferences();
  const [choice, setChoice] = useState<Omit<StageChoice, 'mode'>>({
    pinnedKey: null,
    screenKey: null,
    page: 0,
    corner: 'bottom-right',
    ...initial?.choice,
  });
  const [panel, setPanel] = useState<Panel | null>(initial?.panel ?? null);
  const [dialog, setDialog] = useState<MeetingDialog | null>(initial?.dialog ?? null);
  const mode = initial?.choice?.mode ?? layout;
  const stageChoice = useMemo(() => ({ mode, ...choice }), [mode, choice]);
  const changeChoice = useCallback((change: Partial<StageChoice>) => {
    setChoice((before) => ({ ...before, ...change }));
  }, []);
  const { notices, notify } = useNotices();
  const unread = useUnread(panel === 'chat');
  const devices = useDeviceToggles();
  useWakeLock();
  useMeetingNews(notify, panel === 'chat');
  useNewestScreen((screenKey) => {
    setChoice((before) => ({ ...before, screenKey }));
  });

  const toggleMode = () => {
    setPreferences({ layout: mode === 'grid' ? 'speaker' : 'grid' });
    setChoice((before) => ({ ...before, pinnedKey: null, page: 0 }));
  };
  const togglePanel = (which: Panel) => {
    setPanel((open) => (open === which ? null : which));
  };
  useShortcuts((shortcut) => {
    const actions: Record<Shortcut, () => void> = {
      mic: devices.toggleMicrophone,
      camera: devices.toggleCamera,
      share: devices.toggleShare,
      chat: () => togglePanel('chat'),
      people: () => togglePanel('people'),
      layout: toggleMode,
      help: () => setDialog('shortcuts'),
      'next-page': () => setChoice((before) => ({ ...before, page: before.page + 1 })),
      'previous-page': () => setChoice((before) => ({ ...before, page: Math.max(0, before.page - 1) })),
    };
    actions[shortcut]();
  });
  usePanelEscape(panel !== null, () => setPanel(null));

  return (
    <div className="meeting" data-testid="meeting" data-panel={panel ?? 'none'}>
      <div className="meeting__stage">
        {devices.isSharing && <SharingNote onStop={devices.toggleShare} />}
        <div className="meeting__area">
          <Stage room={room} choice={stageChoice} onChoice={changeChoice} onInvite={() => setDialog('invite')} />
          <Banners onUnmute={devices.toggleMicrophone} />
          <Toasts notices={notices} />
        </div>
      </div>
      {panel === 'chat' && <ChatPanel onClose={() => setPanel(null)} />}
      {panel === 'people' && <PeoplePanel onClose={() => setPanel(null)} onInvite={() => setDialog('invite')} />}
      <Toolbar
        room={room}
        mode={mode}
        panel={panel}
        unread={unread}
        onMicrophone={devices.toggleMicrophone}
        onCamera={devices.toggleCamera}
        onMode={toggleMode}
        onPanel={togglePanel}
        onDialog={setDialog}
        onLeave={onLeave}
      />
      {dialog === 'invite' && <InviteDialog links={links} onClose={() => setDialog(null)} />}
      {(dialog === 'settings' || dialog === 'quality' || dialog === 'statistics') && (
        <SettingsDialog inMeeting page={dialog === 'settings' ? 'devices' : dialog} onClose={() => setDialog(null)} />
      )}
      {dialog === 'shortcuts' && <ShortcutsDialog onClose={() => setDialog(null)} />}
      <DeviceTroubleDialog />
    </div>
  );
}

/** The buttons' and keys' actions on own devices. */
function useDeviceToggles() {
  const media = useMedia();
  const screens = useMediaState((state) => state.streams).filter((stream) => stream.source === 'screen');
  return {
    isSharing: screens.length > 0,
    toggleMicrophone: () => {
      const { microphone } = media.getSnapshot();
      const next = microphone.state !== 'live' || microphone.muted;
      setPreferences({ microphoneOn: next });
      void media.setMicrophone(next);
    },
    toggleCamera: () => {
      const { camera } = media.getSnapshot();
      const next = camera.state !== 'live' || camera.muted;
      setPreferences({ cameraOn: next });
      void media.setCamera(next);
    },
    toggleShare: () => {
      const last = screens.at(-1);
      if (last === undefined) {
        void media.shareScreen();
      } else {
        media.stop(last.id);
      }
    },
  };
}

/** A screen that begins to be shared becomes the large one; when it ends, the one before. */
function useNewestScreen(onNewest: (key: string) => void) {
  const participants = useSessionState((state) => state.participants);
  const [seen, setSeen] = useState<readonly string[]>([]);
  const screens = participants
    .flatMap((person) => person.screens.filter((screen) => !screen.muted))
    .map((screen) => screen.key);
  const newest = screens.find((key) => !seen.includes(key));
  if (newest !== undefined || screens.length !== seen.length) {
    setSeen(screens);
    if (newest !== undefined) {
      onNewest(newest);
    }
  }
}

/** Esc closes the panel when nothing above it is open; the browser closes menus and dialogs itself. */
function usePanelEscape(isOpen: boolean, onClose: () => void) {
  useEffect(() => {
    if (!isOpen) {
      return;
    }
    const listener = (event: KeyboardEvent) => {
      const isCovered = document.querySelector('dialog[open], [popover]:popover-open') !== null;
      if (event.key === 'Escape' && !isCovered && document.fullscreenElement === null) {
        onClose();
      }
    };
    document.addEventListener('keydown', listener);
    return () => {
      document.removeEventListener('keydown', listener);
    };
  });
}
