import type { Device } from '@althing/sdk';
import { Mic, Video, Volume2 } from 'lucide-react';
import { useState } from 'react';
import { useMedia, useMediaState } from '../hooks/context';
import { setPreferences } from '../hooks/preferences';
import { Button } from './Button';
import { type Choice, Select } from './fields';

function choicesOf(devices: readonly Device[], name: string): Choice<string>[] {
  return devices.map((device, index) => ({
    value: device.id,
    text: device.label === '' ? `${name} ${index + 1}` : device.label,
  }));
}

const NOTHING: Choice<string> = { value: '', text: 'None found' };

/** Chooses the camera. */
export function CameraField() {
  const media = useMedia();
  const devices = useMediaState((state) => state.cameras);
  const current = useMediaState((state) => state.camera.deviceId);
  const choices = devices.length === 0 ? [NOTHING] : choicesOf(devices, 'Camera');
  return (
    <Select
      label="Camera"
      icon={<Video className="icon" size={20} aria-hidden />}
      value={current ?? choices[0]?.value ?? ''}
      choices={choices}
      disabled={devices.length === 0}
      testId="camera-select"
      onChange={(id) => {
        setPreferences({ cameraId: id });
        void media.selectCamera(id);
      }}
    />
  );
}

/** Chooses the microphone. */
export function MicrophoneField() {
  const media = useMedia();
  const devices = useMediaState((state) => state.microphones);
  const current = useMediaState((state) => state.microphone.deviceId);
  const choices = devices.length === 0 ? [NOTHING] : choicesOf(devices, 'Microphone');
  return (
    <Select
      label="Microphone"
      icon={<Mic className="icon" size={20} aria-hidden />}
      value={current ?? choices[0]?.value ?? ''}
      choices={choices}
      disabled={devices.length === 0}
      testId="microphone-select"
      onChange={(id) => {
        setPreferences({ microphoneId: id });
        void media.selectMicrophone(id);
      }}
    />
  );
}

/** Chooses the speaker, with a sound to try it. */
export function SpeakerField() {
  const media = useMedia();
  const speakers = useMediaState((state) => state.speakers);
  const speakerId = useMediaState((state) => state.speakerId);
  const canChoose = useMediaState((state) => state.canChooseSpeaker);
  const [isPlaying, setPlaying] = useState(false);
  const named = speakers.filter((device) => device.id !== '' && device.id !== 'default');
  const choices = [{ value: '', text: 'System’s speaker' }, ...choicesOf(named, 'Speaker')];
  const play = async () => {
    setPlaying(true);
    await media.playTestSound();
    setPlaying(false);
  };
  return (
    <div className="speaker-field">
      <Select
        label="Speaker"
        icon={<Volume2 className="icon" size={20} aria-hidden />}
        value={canChoose ? speakerId : ''}
        choices={canChoose ? choices : choices.slice(0, 1)}
        disabled={!canChoose}
        testId="speaker-select"
        onChange={(id) => {
          setPreferences({ speakerId: id });
          void media.selectSpeaker(id);
        }}
      />
      <Button tone="quiet" disabled={isPlaying} data-testid="test-sound" onClick={() => void play()}>
        {isPlaying ? 'Playing…' : 'Test'}
      </Button>
    </div>
  );
}
