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
    const audio = new AudioContext();
    const gain = new GainNode(audio, { gain: 0 });
    if (constraints?.audio) {
      const tone = new OscillatorNode(audio, { frequency: 440 });
      const out = audio.createMediaStreamDestination();
      tone.connect(gain).connect(out);
      tone.start();
      tracks.push(...out.stream.getAudioTracks());
    }
    const canvas = document.createElement('canvas');
    // Small: encoders and decoders share the machine, and who is short of it plays late.
    Object.assign(canvas, { width: 640, height: 360 });
    const context = canvas.getContext('2d');
    if (constraints?.video) tracks.push(...canvas.captureStream(0).getVideoTracks());
    const camera = tracks.find((track) => track instanceof CanvasCaptureMediaStreamTrack);
    let frame = 0;
    // The same turn makes the picture and the sound, however late a busy page gets to it.
    setInterval(() => {
      const bright = Date.now() % period < flash;
      gain.gain.value = bright ? 0.5 : 0;
      if (context === null) return;
      context.fillStyle = bright ? '#fff' : '#000';
      context.fillRect(0, 0, canvas.width, canvas.height);
      // Something moves, or an encoder sends next to nothing.
      context.fillStyle = '#888';
      context.fillRect((frame++ * 7) % canvas.width, 0, 60, 60);
      camera?.requestFrame();
    }, 33);
    // The page asks the browser for devices by name, too.
    if (tracks.length === 0) return original(constraints);
    return new MediaStream(tracks);
  };
}

/**
 * Notes from now on when the picture with this track turns bright, and when sound begins: by the times at which the
 * browser hands them out, since a busy page looks late.
 */
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
  let watched: HTMLVideoElement | null = null;
  const look: VideoFrameRequestCallback = (_, { presentationTime, width, height }) => {
    if (watched === null || context === null) return;
    // The middle: what moves is at the top.
    context.drawImage(watched, width / 4, height / 2, width / 2, height / 4, 0, 0, 8, 8);
    const now = (context.getImageData(4, 4, 1, 1).data[0] ?? 0) > 128;
    if (now && !bright) seen.push(presentationTime);
    bright = now;
    watched.requestVideoFrameCallback(look);
  };
  // A tile that is shown elsewhere on the page may get a new element.
  setInterval(() => {
    const shown = document.querySelector<HTMLVideoElement>(selector);
    if (shown === watched) return;
    watched = shown;
    watched?.requestVideoFrameCallback(look);
  }, 100);

  /** Sound as the browser plays it, ten milliseconds at a time; Chromium has it for pages, TypeScript for workers. */
  const Processor = (
    window as unknown as {
      MediaStreamTrackProcessor: new (init: { track: MediaStreamTrack }) => { readable: ReadableStream<AudioData> };
    }
  ).MediaStreamTrackProcessor;
  const listen = async (track: MediaStreamTrack) => {
    const reader = new Processor({ track }).readable.getReader();
    // From the clock of sounds to the page's: whatever came soonest was least held up.
    let offset = Infinity;
    let loudAt = 0;
    for (;;) {
      const { value: sound } = await reader.read();
      if (sound === undefined) return;
      const from = sound.timestamp / 1000;
      offset = Math.min(offset, performance.now() - from);
      const samples = new Float32Array(sound.numberOfFrames);
      sound.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      for (const [index, sample] of samples.entries()) {
        if (Math.abs(sample) < 0.05) continue;
        // A tone has zeros: it begins after a pause.
        const at = from + (index * 1000) / sound.sampleRate;
        if (at - loudAt > 200) heard.push(at + offset);
        loudAt = at;
      }
      sound.close();
    }
  };
  const pc = window.peerConnections.filter((known) => known.connectionState !== 'closed').at(-1);
  for (const receiver of pc?.getReceivers() ?? []) {
    if (receiver.track.kind === 'audio') void listen(receiver.track);
  }
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
