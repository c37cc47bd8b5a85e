import { expect, it } from 'vitest';
import { cameraConstraints } from './constraints';
import { listDevices } from './devices';
import { newStream, orderStreams } from './streams';

it('streams are listed by kind of source, then by age', () => {
  const ids = ['screen-1', 'extra-2', 'camera', 'screen-3', 'microphone'];
  const sources = ['screen', 'extra-camera', 'camera', 'screen', 'microphone'] as const;
  const streams = ids.map((id, i) => newStream(id, sources[i] ?? 'screen'));
  expect(orderStreams(streams).map((s) => s.id)).toEqual(['microphone', 'camera', 'screen-1', 'screen-3', 'extra-2']);
});

it('camera and microphone begin off and muted, the others live', () => {
  expect(newStream('camera', 'camera')).toMatchObject({ state: 'off', muted: true, kind: 'video' });
  expect(newStream('screen-1-audio', 'screen-audio')).toMatchObject({ state: 'live', muted: false, kind: 'audio' });
});

it('devices that cannot be chosen are not listed', () => {
  const device = (
    kind: MediaDeviceKind,
    deviceId: string,
  ): Pick<MediaDeviceInfo, 'deviceId' | 'kind' | 'label' | 'groupId'> => ({
    kind,
    deviceId,
    label: deviceId,
    groupId: 'g',
  });
  const lists = listDevices([
    device('videoinput', ''),
    device('videoinput', 'c1'),
    device('audioinput', 'default'),
    device('audioinput', 'communications'),
    device('audiooutput', 's1'),
  ]);
  expect(lists.cameras.map((d) => d.id)).toEqual(['c1']);
  expect(lists.microphones.map((d) => d.id)).toEqual(['default']);
  expect(lists.speakers.map((d) => d.id)).toEqual(['s1']);
});

it('a chosen device is asked for exactly, a remembered one if possible', () => {
  expect(cameraConstraints({ id: 'c1', exact: true }, null)).toMatchObject({
    deviceId: { exact: 'c1' },
    height: { ideal: 720 },
  });
  expect(cameraConstraints({ id: 'c1', exact: false }, 360)).toMatchObject({
    deviceId: { ideal: 'c1' },
    width: { ideal: 640 },
  });
  expect(cameraConstraints({ id: null, exact: false }, null)).not.toHaveProperty('deviceId');
});
