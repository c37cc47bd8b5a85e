/** A camera of 3840 × 2160, at few pictures a second: what a browser's fake device does not have. */
import type { Page } from '@playwright/test';

/** Gives the page that camera in place of its own. Before the page loads. */
export async function useFourK(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const size = { width: 3840, height: 2160 };
    const devices = navigator.mediaDevices;
    const real = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => {
      const stream = await real(constraints);
      const [camera] = stream.getVideoTracks();
      if (camera === undefined) return stream;
      const settings = camera.getSettings();
      stream.removeTrack(camera);
      camera.stop();
      const canvas = Object.assign(document.createElement('canvas'), size);
      const context = canvas.getContext('2d');
      let count = 0;
      setInterval(() => {
        if (context === null) return;
        context.fillStyle = '#246';
        context.fillRect(0, 0, size.width, size.height);
        context.fillStyle = '#fff';
        context.fillRect((count++ * 40) % 3600, 900, 200, 200);
      }, 250);
      const [track] = canvas.captureStream(4).getVideoTracks();
      if (track === undefined) return stream;
      track.getSettings = () => ({ ...settings, ...size });
      track.applyConstraints = () => Promise.resolve();
      stream.addTrack(track);
      return stream;
    };
  });
}
