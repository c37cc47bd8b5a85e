import { Monitor, Moon, Sun } from 'lucide-react';
import { useState } from 'react';
import { useMediaState } from '../../hooks/context';
import { applyTheme, setPreferences, type Theme, usePreferences } from '../../hooks/preferences';
import { CameraField, MicrophoneField, SpeakerField } from '../DeviceFields';
import { Dialog } from '../Dialog';
import { type Choice, Segmented } from '../fields';
import { LevelMeter } from '../LevelMeter';
import { OwnVideo } from '../video';
import { PictureQuality } from './PictureQuality';
import { StatisticsView } from './StatisticsView';

/** Pages of the settings. */
export type SettingsPage = 'devices' | 'quality' | 'look' | 'statistics';

interface SettingsDialogProps {
  readonly onClose: () => void;
  readonly page?: SettingsPage;
  /** Statistics exist in a meeting only. */
  readonly inMeeting: boolean;
}

const PAGES: readonly { readonly page: SettingsPage; readonly text: string }[] = [
  { page: 'devices', text: 'Devices' },
  { page: 'quality', text: 'Quality' },
  { page: 'look', text: 'Appearance' },
  { page: 'statistics', text: 'Statistics' },
];

/** Devices, quality, look, and what the numbers are. */
export function SettingsDialog({ onClose, page: first = 'devices', inMeeting }: SettingsDialogProps) {
  const [page, setPage] = useState(first);
  return (
    <Dialog title="Settings" size="wide" onClose={onClose} testId="settings-dialog">
      <div className="settings">
        <nav className="settings__tabs" aria-label="Settings">
          {PAGES.filter((entry) => inMeeting || entry.page !== 'statistics').map((entry) => (
            <button
              key={entry.page}
              type="button"
              className="settings__tab"
              aria-current={entry.page === page ? 'page' : undefined}
              data-testid={`settings-${entry.page}`}
              onClick={() => {
                setPage(entry.page);
              }}
            >
              {entry.text}
            </button>
          ))}
        </nav>
        <div className="settings__page">
          {page === 'devices' && <Devices />}
          {page === 'quality' && <PictureQuality inMeeting={inMeeting} />}
          {page === 'look' && <Look />}
          {page === 'statistics' && <StatisticsView />}
        </div>
      </div>
    </Dialog>
  );
}

function Devices() {
  const camera = useMediaState((state) => state.camera);
  return (
    <>
      <MicrophoneField />
      <LevelMeter bars={24} />
      <SpeakerField />
      <CameraField />
      <div className="settings__preview">
        {camera.state === 'live' && !camera.muted ? (
          <OwnVideo localId={camera.id} fit="cover" mirrored={camera.facingMode !== 'environment'} />
        ) : (
          <p>Camera is off</p>
        )}
      </div>
    </>
  );
}

const THEMES: readonly Choice<Theme>[] = [
  { value: 'system', text: 'System', icon: <Monitor className="icon" size={18} aria-hidden /> },
  { value: 'light', text: 'Light', icon: <Sun className="icon" size={18} aria-hidden /> },
  { value: 'dark', text: 'Dark', icon: <Moon className="icon" size={18} aria-hidden /> },
];

/** Chooses light or dark. */
export function ThemeChoice() {
  const { theme } = usePreferences();
  return (
    <Segmented
      label="Light or dark"
      name="theme"
      value={theme}
      choices={THEMES}
      onChange={(next) => {
        setPreferences({ theme: next });
        applyTheme(next);
      }}
    />
  );
}

function Look() {
  return (
    <div className="field">
      <span className="field__label">Light or dark</span>
      <ThemeChoice />
    </div>
  );
}
