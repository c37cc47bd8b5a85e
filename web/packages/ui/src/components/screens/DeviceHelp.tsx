import type { LocalStream } from '@althing/sdk';
import { RefreshCw, TriangleAlert } from 'lucide-react';
import { useMedia, useMediaState } from '../../hooks/context';
import { troubleOf } from '../../model/failures';
import { browserOf, type DeviceKind, type DeviceTrouble, troubleHelp } from '../../model/permission-help';
import { Button } from '../Button';

/** What is wrong with camera and microphone, and what to do; nothing when all is well. */
export function DeviceHelp() {
  const media = useMedia();
  const camera = useMediaState((state) => state.camera);
  const microphone = useMediaState((state) => state.microphone);
  const troubles = merged(trouble(camera), trouble(microphone));
  if (troubles.length === 0) {
    return null;
  }
  const browser = browserOf(navigator.userAgent, navigator.maxTouchPoints);
  return (
    <div className="help" role="status" data-testid="device-help">
      {troubles.map(({ device, what }) => {
        const help = troubleHelp(what, device, browser);
        return (
          <div key={device} className="help__item" data-testid={`device-help-${device}`} data-trouble={what}>
            <TriangleAlert className="icon" size={22} aria-hidden />
            <div className="help__text">
              <h2 className="help__title">{help.title}</h2>
              <ul className="help__steps">
                {help.steps.map((step) => (
                  <li key={step}>{step}</li>
                ))}
              </ul>
            </div>
            {help.canRetry && (
              <Button
                tone="quiet"
                data-testid="device-retry"
                onClick={() => void media.start({ camera: device !== 'microphone', microphone: device !== 'camera' })}
              >
                <RefreshCw className="icon" size={18} aria-hidden />
                Try again
              </Button>
            )}
          </div>
        );
      })}
    </div>
  );
}

interface Found {
  readonly device: DeviceKind;
  readonly what: DeviceTrouble;
}

function trouble(stream: LocalStream): Found | null {
  if (stream.error === null) {
    return null;
  }
  return { device: stream.kind === 'video' ? 'camera' : 'microphone', what: troubleOf(stream.error, isSecureContext) };
}

/** One message for both when the reason is the same. */
function merged(camera: Found | null, microphone: Found | null): Found[] {
  if (camera !== null && microphone !== null && camera.what === microphone.what) {
    return [{ device: 'both', what: camera.what }];
  }
  return [camera, microphone].filter((found) => found !== null);
}
