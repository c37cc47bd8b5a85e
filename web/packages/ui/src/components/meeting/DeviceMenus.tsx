import type { Device, LocalStream } from '@althing/sdk';
import { ChevronUp, Play, Settings, Video, X } from 'lucide-react';
import { useMedia, useMediaState } from '../../hooks/context';
import { setPreferences } from '../../hooks/preferences';
import { Menu, MenuHeading, MenuItem, MenuLine } from '../Menu';

interface DeviceMenuProps {
  readonly onSettings: () => void;
}

/** Microphones and speakers, beside the microphone button. */
export function SoundMenu({ onSettings }: DeviceMenuProps) {
  const media = useMedia();
  const state = useMediaState((snapshot) => snapshot);
  return (
    <Menu
      label="Choose microphone and speaker"
      buttonClass="tool__more"
      button={<ChevronUp className="icon" size={18} aria-hidden />}
      testId="mic-menu"
    >
      <MenuHeading>Microphone</MenuHeading>
      <DeviceItems
        devices={state.microphones}
        current={state.microphone.deviceId}
        none="No microphone found"
        fallback="Microphone"
        testId="mic-device"
        onSelect={(id) => {
          setPreferences({ microphoneId: id });
          void media.selectMicrophone(id);
        }}
      />
      {state.canChooseSpeaker && (
        <>
          <MenuLine />
          <MenuHeading>Speaker</MenuHeading>
          <MenuItem checked={state.speakerId === ''} onSelect={() => chooseSpeaker('')}>
            As the system
          </MenuItem>
          <DeviceItems
            devices={state.speakers.filter((device) => device.id !== '' && device.id !== 'default')}
            current={state.speakerId}
            none={null}
            fallback="Speaker"
            testId="speaker-device"
            onSelect={chooseSpeaker}
          />
        </>
      )}
      <MenuLine />
      <MenuItem
        keepOpen
        icon={<Play className="icon" size={20} aria-hidden />}
        onSelect={() => void media.playTestSound()}
        testId="test-sound"
      >
        Play a test sound
      </MenuItem>
      <MenuItem icon={<Settings className="icon" size={20} aria-hidden />} onSelect={onSettings}>
        Sound and video settings
      </MenuItem>
    </Menu>
  );

  function chooseSpeaker(id: string) {
    setPreferences({ speakerId: id });
    void media.selectSpeaker(id);
  }
}

/** Cameras, and a second one at the same time, beside the camera button. */
export function CameraMenu({ onSettings }: DeviceMenuProps) {
  const media = useMedia();
  const state = useMediaState((snapshot) => snapshot);
  const extras = state.streams.filter((stream) => stream.source === 'extra-camera');
  return (
    <Menu
      label="Choose camera"
      buttonClass="tool__more"
      button={<ChevronUp className="icon" size={18} aria-hidden />}
      testId="cam-menu"
    >
      <MenuHeading>Camera</MenuHeading>
      <DeviceItems
        devices={state.cameras}
        current={state.camera.deviceId}
        none="No camera found"
        fallback="Camera"
        testId="cam-device"
        onSelect={(id) => {
          setPreferences({ cameraId: id });
          void media.selectCamera(id);
        }}
      />
      <SecondCamera cameras={state.cameras} mainId={state.camera.deviceId} extras={extras} />
      <MenuLine />
      <MenuItem icon={<Settings className="icon" size={20} aria-hidden />} onSelect={onSettings}>
        Sound and video settings
      </MenuItem>
    </Menu>
  );
}

interface SecondCameraProps {
  readonly cameras: readonly Device[];
  readonly mainId: string | null;
  readonly extras: readonly LocalStream[];
}

/** Offered to whoever has two cameras, and while a second one is on. */
function SecondCamera({ cameras, mainId, extras }: SecondCameraProps) {
  const media = useMedia();
  const used = new Set([mainId, ...extras.map((stream) => stream.deviceId)]);
  const free = cameras.filter((device) => !used.has(device.id));
  if (free.length === 0 && extras.length === 0) {
    return null;
  }
  return (
    <>
      <MenuLine />
      <MenuHeading>Show a second camera too</MenuHeading>
      {free.map((device, index) => (
        <MenuItem
          key={device.id}
          icon={<Video className="icon" size={20} aria-hidden />}
          testId="add-camera"
          onSelect={() => void media.addCamera(device.id)}
        >
          {device.label === '' ? `Camera ${index + 2}` : device.label}
        </MenuItem>
      ))}
      {extras.map((stream) => (
        <MenuItem
          key={stream.id}
          icon={<X className="icon" size={20} aria-hidden />}
          testId="remove-camera"
          onSelect={() => {
            media.stop(stream.id);
          }}
        >
          Stop {stream.label === '' ? 'second camera' : stream.label}
        </MenuItem>
      ))}
    </>
  );
}

interface DeviceItemsProps {
  readonly devices: readonly Device[];
  readonly current: string | null;
  /** What to say when there are none; null: nothing. */
  readonly none: string | null;
  /** Name of a device without a label. */
  readonly fallback: string;
  readonly testId: string;
  readonly onSelect: (id: string) => void;
}

function DeviceItems({ devices, current, none, fallback, testId, onSelect }: DeviceItemsProps) {
  if (devices.length === 0) {
    return none === null ? null : (
      <MenuItem disabled onSelect={() => undefined}>
        {none}
      </MenuItem>
    );
  }
  return devices.map((device, index) => (
    <MenuItem key={device.id} checked={device.id === current} testId={testId} onSelect={() => onSelect(device.id)}>
      {device.label === '' ? `${fallback} ${index + 1}` : device.label}
    </MenuItem>
  ));
}
