import { ChevronDown, Lock, Mic, MicOff, Settings, Video, VideoOff } from 'lucide-react';
import { type SubmitEvent, useId, useState } from 'react';
import { useMedia, useMediaState } from '../../hooks/context';
import { useMediaQuery } from '../../hooks/dom';
import { setPreferences, usePreferences } from '../../hooks/preferences';
import { avatarColour, cleanName, displayName } from '../../model/person';
import { Avatar } from '../Avatar';
import { Button, IconButton } from '../Button';
import { CameraField, MicrophoneField, SpeakerField } from '../DeviceFields';
import { SettingsDialog } from '../dialogs/SettingsDialog';
import { LevelMeter } from '../LevelMeter';
import { Wordmark } from '../Logo';
import { OwnVideo } from '../video';
import { DeviceHelp } from './DeviceHelp';

interface PreJoinScreenProps {
  readonly room: string;
  /** The page was loaded without HTTPS: no camera, no microphone. */
  readonly isInsecure: boolean;
  /** Where this meeting can be opened securely. */
  readonly secureLink: string;
  readonly onJoin: (name: string) => void;
  readonly onHome: () => void;
}

/** How one will be seen and heard, before anybody sees or hears. */
export function PreJoinScreen({ room, isInsecure, secureLink, onJoin, onHome }: PreJoinScreenProps) {
  const preferences = usePreferences();
  const [name, setName] = useState(preferences.name);
  const [isSettingsOpen, setSettingsOpen] = useState(false);
  const nameId = useId();
  const isRoomy = useMediaQuery('(min-width: 861px)');
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const cleaned = displayName(name);
    setPreferences({ name: name.trim() === '' ? '' : cleaned });
    onJoin(cleaned);
  };
  return (
    <div className="prejoin" data-testid="prejoin">
      <header className="start__head">
        <button type="button" className="wordmark-button" onClick={onHome} aria-label="Althing, first page">
          <Wordmark />
        </button>
        <IconButton label="Settings" onClick={() => setSettingsOpen(true)} data-testid="settings">
          <Settings className="icon" size={22} aria-hidden />
        </IconButton>
      </header>
      <main className="prejoin__main">
        <section className="prejoin__preview" aria-label="Preview">
          {isInsecure ? <Insecure link={secureLink} /> : <Preview name={name} />}
        </section>
        <form className="prejoin__form" onSubmit={submit}>
          <div>
            <h1 className="prejoin__title">Ready to join?</h1>
            <p className="prejoin__room">
              Meeting <strong>{room}</strong>
            </p>
          </div>
          <div className="field">
            <label className="field__label" htmlFor={nameId}>
              Your name
            </label>
            <input
              id={nameId}
              className="input"
              value={name}
              placeholder="How others will see you"
              autoComplete="name"
              data-testid="name-input"
              onChange={(event) => {
                setName(cleanName(event.target.value));
              }}
            />
          </div>
          {!isInsecure && (
            <details className="prejoin__devices" open={isRoomy}>
              <summary>
                Devices
                <ChevronDown className="icon" size={20} aria-hidden />
              </summary>
              <div className="prejoin__fields">
                <MicrophoneField />
                <LevelMeter bars={24} />
                <SpeakerField />
                <CameraField />
              </div>
            </details>
          )}
          <Button type="submit" tone="primary" large wide data-testid="join">
            {isInsecure ? 'Join to watch and listen' : 'Join now'}
          </Button>
        </form>
      </main>
      {isSettingsOpen && <SettingsDialog inMeeting={false} onClose={() => setSettingsOpen(false)} />}
    </div>
  );
}

function Preview({ name }: { readonly name: string }) {
  const media = useMedia();
  const camera = useMediaState((state) => state.camera);
  const microphone = useMediaState((state) => state.microphone);
  const isCameraOn = camera.state === 'live' && !camera.muted;
  const isMicrophoneOn = microphone.state === 'live' && !microphone.muted;
  const isAsking = camera.state === 'starting' || microphone.state === 'starting';
  const toggleCamera = () => {
    setPreferences({ cameraOn: !isCameraOn });
    void media.setCamera(!isCameraOn);
  };
  const toggleMicrophone = () => {
    setPreferences({ microphoneOn: !isMicrophoneOn });
    void media.setMicrophone(!isMicrophoneOn);
  };
  return (
    <>
      <div className="preview" data-testid="preview" data-camera={camera.state} data-microphone={microphone.state}>
        {isCameraOn ? (
          <OwnVideo localId={camera.id} fit="cover" mirrored={camera.facingMode !== 'environment'} />
        ) : (
          <div className="preview__off">
            <Avatar name={displayName(name)} colour={avatarColour(name)} size="112px" />
            {isAsking && <p>Your browser asks for your camera and microphone: choose “Allow”.</p>}
            {camera.state === 'off' && <p>Camera is off</p>}
          </div>
        )}
        <div className="preview__tools">
          <div className="tool" data-state={toolState(microphone.state, isMicrophoneOn)}>
            <button
              type="button"
              className="tool__button"
              aria-label={isMicrophoneOn ? 'Switch microphone off' : 'Switch microphone on'}
              aria-pressed={isMicrophoneOn}
              data-testid="mic"
              onClick={toggleMicrophone}
            >
              {isMicrophoneOn ? (
                <Mic className="icon" size={24} aria-hidden />
              ) : (
                <MicOff className="icon" size={24} aria-hidden />
              )}
            </button>
          </div>
          <div className="tool" data-state={toolState(camera.state, isCameraOn)}>
            <button
              type="button"
              className="tool__button"
              aria-label={isCameraOn ? 'Switch camera off' : 'Switch camera on'}
              aria-pressed={isCameraOn}
              data-testid="cam"
              onClick={toggleCamera}
            >
              {isCameraOn ? (
                <Video className="icon" size={24} aria-hidden />
              ) : (
                <VideoOff className="icon" size={24} aria-hidden />
              )}
            </button>
          </div>
        </div>
      </div>
      <DeviceHelp />
    </>
  );
}

function toolState(state: string, isOn: boolean): string {
  return state === 'failed' ? 'failed' : isOn ? 'on' : 'off';
}

function Insecure({ link }: { readonly link: string }) {
  return (
    <div className="insecure" data-testid="insecure">
      <Lock className="icon" size={40} aria-hidden />
      <h2>Camera and microphone need a secure page</h2>
      <p>
        This page was opened over plain HTTP, and browsers keep cameras and microphones from such pages. Open the same
        meeting over HTTPS:
      </p>
      <a className="button button--primary" href={link} data-testid="secure-link">
        Open the secure page
      </a>
      <p className="insecure__link mono">{link}</p>
      <p>The first time, your browser may warn about the certificate of this server: choose to go on.</p>
    </div>
  );
}
