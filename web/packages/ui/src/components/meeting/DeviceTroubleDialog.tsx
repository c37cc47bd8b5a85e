import type { AlthingError } from '@althing/sdk';
import { useEffect, useState } from 'react';
import { useMedia } from '../../hooks/context';
import { troubleOf } from '../../model/failures';
import { browserOf, type DeviceKind, troubleHelp } from '../../model/permission-help';
import { Button } from '../Button';
import { Dialog } from '../Dialog';

interface Trouble {
  readonly device: DeviceKind;
  readonly error: AlthingError;
}

/** Opens when a device could not be switched on during the meeting, with what to do about it. */
export function DeviceTroubleDialog() {
  const media = useMedia();
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  useEffect(
    () =>
      media.on('error', ({ source, error }) => {
        // Closing the browser's list of screens is no trouble.
        const isDevice = source === 'camera' || source === 'microphone' || source === 'extra-camera';
        if (isDevice) {
          setTrouble({ device: source === 'microphone' ? 'microphone' : 'camera', error });
        }
      }),
    [media],
  );
  if (trouble === null) {
    return null;
  }
  const retry = () => {
    setTrouble(null);
    void (trouble.device === 'camera' ? media.setCamera(true) : media.setMicrophone(true));
  };
  return <TroubleDialog trouble={trouble} onRetry={retry} onClose={() => setTrouble(null)} />;
}

interface TroubleDialogProps {
  readonly trouble: Trouble;
  readonly onRetry: () => void;
  readonly onClose: () => void;
}

function TroubleDialog({ trouble, onRetry, onClose }: TroubleDialogProps) {
  const browser = browserOf(navigator.userAgent, navigator.maxTouchPoints);
  const help = troubleHelp(troubleOf(trouble.error, isSecureContext), trouble.device, browser);
  return (
    <Dialog title={help.title} onClose={onClose} testId="device-trouble">
      <ol className="help__steps">
        {help.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <div className="dialog__actions">
        <Button onClick={onClose}>Go on without</Button>
        {help.canRetry && (
          <Button tone="primary" onClick={onRetry} data-testid="device-retry">
            Try again
          </Button>
        )}
      </div>
    </Dialog>
  );
}
