/**
 * Lip sync as a person has it: a sender whose picture flashes while its microphone sounds, and at the receiver the time
 * between seeing and hearing that.
 */
import type { Page } from '@playwright/test';

declare global {
  interface Window {
    /** Onsets seen and heard by the page, in ms of its clock. */
    onsets: { seen: number[]; heard: number[] };
  }
}

/** From one flash to the next, in ms, and how long each lasts. */
const PERIOD_MS = 1_000;
const FLASH_MS = 300;

/** Gives the page a camera and a microphone that flash and sound together. Call it before the page loads. */
export async function flashAndSound(page: Page): Promise<void> {
  await page.addInitScript(replaceDevices, { period: PERIOD_MS, flash: FLASH_MS });
}

/** Runs in the page. */
function replaceDevices({ period, flash }: { period: number; flash: number }): void {
  const devices = navigator.mediaDevices;
  const original = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const tracks: MediaStreamTrack[] = [];
    if (constraints?.audio) {
      const audio = new AudioContext();
      const tone = new OscillatorNode(audio, { frequency: 440 });
      const gain = new GainNode(audio, { gain: 0 });
      const out = audio.createMediaStreamDestination();
      tone.connect(gain).connect(out);
      tone.start();
      setInterval(() => (gain.gain.value = Date.now() % period < flash ? 0.5 : 0), 4);
      tracks.push(...out.stream.getAudioTracks());
    }
    if (constraints?.video) {
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width: 1280, height: 720 });
      const context = canvas.getContext('2d');
      let frame = 0;
      setInterval(() => {
        if (context === null) return;
        context.fillStyle = Date.now() % period < flash ? '#fff' : '#000';
        context.fillRect(0, 0, canvas.width, canvas.height);
        // Something moves, or an encoder sends next to nothing.
        context.fillStyle = '#888';
        context.fillRect((frame++ * 7) % canvas.width, 0, 60, 60);
      }, 20);
      tracks.push(...canvas.captureStream(30).getVideoTracks());
    }
    // The page asks the browser for devices by name, too.
    if (tracks.length === 0) return original(constraints);
    return new MediaStream(tracks);
  };
}

/** Notes from now on when the picture with this track turns bright, and when sound begins. */
export async function watchOnsets(page: Page, video: string): Promise<void> {
  await page.evaluate(watch, video);
}

/** Runs in the page. */
function watch(selector: string): void {
  window.onsets = { seen: [], heard: [] };
  const { seen, heard } = window.onsets;
  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  let bright = false;
  const look = () => {
    const picture = document.querySelector<HTMLVideoElement>(selector);
    if (picture !== null && context !== null && picture.videoWidth > 0) {
      // The middle: what moves is at the top.
      const { videoWidth: width, videoHeight: height } = picture;
      context.drawImage(picture, width / 4, height / 2, width / 2, height / 4, 0, 0, 8, 8);
      const now = (context.getImageData(4, 4, 1, 1).data[0] ?? 0) > 128;
      if (now && !bright) seen.push(performance.now());
      bright = now;
    }
    requestAnimationFrame(look);
  };
  look();

  const audio = new AudioContext();
  const listen = new AnalyserNode(audio, { fftSize: 256 });
  const pc = window.peerConnections.filter((known) => known.connectionState !== 'closed').at(-1);
  for (const receiver of pc?.getReceivers() ?? []) {
    if (receiver.track.kind !== 'audio') continue;
    new MediaStreamAudioSourceNode(audio, { mediaStream: new MediaStream([receiver.track]) }).connect(listen);
  }
  const samples = new Float32Array(listen.fftSize);
  let quietSince = performance.now();
  let loud = false;
  setInterval(() => {
    listen.getFloatTimeDomainData(samples);
    const now = samples.some((sample) => Math.abs(sample) > 0.05);
    if (now) {
      // A tone has zeros; it begins after a pause.
      if (!loud && performance.now() - quietSince > 200) heard.push(performance.now());
      loud = true;
      quietSince = performance.now();
    } else if (performance.now() - quietSince > 100) {
      loud = false;
    }
  }, 4);
}

/** How much later it was heard than seen, in ms, for each flash so far; forgets them. */
export async function skews(page: Page): Promise<number[]> {
  const { seen, heard } = await page.evaluate(() => {
    const taken = { seen: [...window.onsets.seen], heard: [...window.onsets.heard] };
    window.onsets.seen.length = 0;
    window.onsets.heard.length = 0;
    return taken;
  });
  return seen.flatMap((at) => {
    const nearest = heard.map((h) => h - at).sort((a, b) => Math.abs(a) - Math.abs(b))[0];
    return nearest === undefined || Math.abs(nearest) > PERIOD_MS / 2 ? [] : [nearest];
  });
}
