/** Which browser's buttons to describe. */
export type Browser = 'chromium' | 'firefox' | 'safari' | 'safari-ios' | 'other';

/** Why a camera or microphone cannot be used. */
export type DeviceTrouble =
  /** Refused by the user or by a policy; the browser does not ask again by itself. */
  | 'denied'
  /** The question was closed without an answer; asking again helps. */
  | 'dismissed'
  /** Nothing is plugged in. */
  | 'none'
  /** Another program holds the device, or the driver fails. */
  | 'busy'
  /** The remembered device is not there any more. */
  | 'gone'
  /** The page is not served over HTTPS. */
  | 'insecure'
  /** Anything else. */
  | 'failed';

/** The device spoken of. */
export type DeviceKind = 'camera' | 'microphone' | 'both';

/** What happened and what to do, in words for the person in front of the screen. */
export interface TroubleHelp {
  readonly title: string;
  readonly steps: readonly string[];
  /** Whether trying again right now can help. */
  readonly canRetry: boolean;
}

/** Tells browsers apart by their user agent. Only words depend on it, never behaviour. */
export function browserOf(userAgent: string, touchPoints = 0): Browser {
  if (/iPhone|iPad|iPod/u.test(userAgent) || (/Macintosh/u.test(userAgent) && touchPoints > 1)) {
    return 'safari-ios';
  }
  if (/Firefox\//u.test(userAgent)) {
    return 'firefox';
  }
  if (/Chrom(e|ium)\//u.test(userAgent)) {
    return 'chromium';
  }
  return /Safari\//u.test(userAgent) ? 'safari' : 'other';
}

/** What to tell somebody whose device cannot be used. */
export function troubleHelp(trouble: DeviceTrouble, device: DeviceKind, browser: Browser): TroubleHelp {
  const name = DEVICE_NAMES[device];
  switch (trouble) {
    case 'denied':
      return {
        title: `This page may not use your ${name}`,
        steps: [...UNBLOCK_STEPS[browser]],
        canRetry: true,
      };
    case 'dismissed':
      return {
        title: `The question about your ${name} was closed`,
        steps: ['Choose “Try again”, then “Allow” when your browser asks.'],
        canRetry: true,
      };
    case 'none':
      return {
        title: device === 'both' ? 'No camera or microphone found' : `No ${name} found`,
        steps: [
          'Plug one in; it is picked up by itself.',
          'You can join without it: you will still see and hear everybody.',
        ],
        canRetry: true,
      };
    case 'busy':
      return {
        title: `Your ${name} is in use`,
        steps: ['Close other programs and tabs that use it.', 'Then choose “Try again”.'],
        canRetry: true,
      };
    case 'gone':
      return {
        title: `The ${name} you used last time is not connected`,
        steps: ['Choose another one, or plug it in again.'],
        canRetry: true,
      };
    case 'insecure':
      return {
        title: 'Browsers allow cameras and microphones on secure pages only',
        steps: ['Open this meeting over HTTPS.'],
        canRetry: false,
      };
    case 'failed':
      return {
        title: `Your ${name} could not be started`,
        steps: [
          'Unplug it and plug it in again, or choose another one.',
          'If that does not help, restart the browser.',
        ],
        canRetry: true,
      };
  }
}

const DEVICE_NAMES: Readonly<Record<DeviceKind, string>> = {
  camera: 'camera',
  microphone: 'microphone',
  both: 'camera and microphone',
};

const UNBLOCK_STEPS: Readonly<Record<Browser, readonly string[]>> = {
  chromium: [
    'Select the icon at the left end of the address bar.',
    'Switch Camera and Microphone on.',
    'Come back here and choose “Try again”. Some versions ask you to reload the page.',
  ],
  firefox: [
    'Select the crossed-out camera or microphone at the left of the address bar.',
    'Remove “Blocked” with the × beside it.',
    'Choose “Try again”, then “Allow”.',
  ],
  safari: [
    'Open the menu Safari › Settings for This Website.',
    'Set Camera and Microphone to “Allow”.',
    'Come back here and choose “Try again”.',
  ],
  'safari-ios': [
    'Tap the page menu at the end of the address bar, then “Website Settings”.',
    'Set Camera and Microphone to “Allow”.',
    'If they are not listed: Settings app › Apps › Safari › Camera and Microphone.',
  ],
  other: [
    'Open your browser’s settings for this website.',
    'Allow the camera and the microphone.',
    'Choose “Try again”.',
  ],
};
