/** Device lists and permissions. */
import type { Device, Permission } from '../types';

export interface DeviceLists {
  readonly cameras: readonly Device[];
  readonly microphones: readonly Device[];
  readonly speakers: readonly Device[];
}

/** The lists, without what cannot be chosen: devices without an id, and Chromium's second alias of the default. */
export function listDevices(
  infos: readonly Pick<MediaDeviceInfo, 'deviceId' | 'kind' | 'label' | 'groupId'>[],
): DeviceLists {
  const of = (kind: MediaDeviceKind): Device[] =>
    infos
      .filter((info) => info.kind === kind && info.deviceId !== '' && info.deviceId !== 'communications')
      .map((info) => ({ id: info.deviceId, label: info.label, groupId: info.groupId }));
  return { cameras: of('videoinput'), microphones: of('audioinput'), speakers: of('audiooutput') };
}

/** Tells the permission now and whenever it changes; never, where the browser does not say. */
export function watchPermission(name: 'camera' | 'microphone', tell: (permission: Permission) => void): void {
  // Firefox before 131 and older Safari know no such names, and throw.
  const query = async (): Promise<void> => {
    const status = await navigator.permissions.query({ name });
    tell(status.state);
    status.addEventListener('change', () => tell(status.state));
  };
  query().catch(() => undefined);
}

export function canChooseSpeaker(): boolean {
  return typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype;
}

/** `undefined` on pages without HTTPS, whatever the types say. */
export function mediaDevices(): MediaDevices | undefined {
  return (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
}

export function canShareScreen(): boolean {
  const devices = mediaDevices();
  return devices !== undefined && 'getDisplayMedia' in devices;
}
