/** What is asked of devices. */

/** A device: one that the user has just chosen (`exact`), or one remembered from last time. */
export interface Wanted {
  readonly id: string | null;
  readonly exact: boolean;
}

/** 720p is what the three layers are made of; more costs processors, and few tiles are larger. */
const HEIGHT = 720;

export function cameraConstraints(wanted: Wanted, heightMax: number | null): MediaTrackConstraints {
  return { ...deviceOf(wanted), ...pictureConstraints(heightMax) };
}

/** What can be changed while a camera runs. Only `ideal`, for no camera has every size. */
export function pictureConstraints(heightMax: number | null): MediaTrackConstraints {
  const height = heightMax ?? HEIGHT;
  return {
    width: { ideal: Math.round((height * 16) / 9) },
    height: { ideal: height },
    frameRate: { ideal: 30, max: 30 },
  };
}

export function microphoneConstraints(wanted: Wanted): MediaTrackConstraints {
  return { ...deviceOf(wanted), echoCancellation: true, noiseSuppression: true, autoGainControl: true };
}

/** Options that not every browser has, and that those without leave aside. */
interface DisplayOptions extends DisplayMediaStreamOptions {
  readonly surfaceSwitching: 'include';
  readonly selfBrowserSurface: 'exclude';
  readonly systemAudio: 'include' | 'exclude';
}

export function displayConstraints(hint: 'detail' | 'motion', audio: boolean): DisplayOptions {
  return {
    video: { frameRate: { ideal: hint === 'motion' ? 30 : 15, max: 30 } },
    // Speech processing would spoil music.
    audio: audio && { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    surfaceSwitching: 'include',
    selfBrowserSurface: 'exclude',
    systemAudio: audio ? 'include' : 'exclude',
  };
}

function deviceOf(wanted: Wanted): MediaTrackConstraints {
  if (wanted.id === null || wanted.id === '') return {};
  return { deviceId: wanted.exact ? { exact: wanted.id } : { ideal: wanted.id } };
}
