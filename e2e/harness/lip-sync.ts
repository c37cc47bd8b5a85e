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
    Object.assign(canvas, { width: 1280, height: 720 });
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
  await page.evaluate(watch, { selector: video, listener: `(${listener.toString()})()` });
}

/** Runs on the page's audio thread: tells when a tone begins after a pause, in seconds of the audio context. */
function listener(): void {
  // Not of a page, and so not in its types.
  const scope = globalThis as unknown as {
    currentTime: number;
    sampleRate: number;
    AudioWorkletProcessor: new () => { port: MessagePort };
    registerProcessor(name: string, processor: unknown): void;
  };
  class Listener extends scope.AudioWorkletProcessor {
    private loudAt = 0;

    process([input]: Float32Array[][]): boolean {
      // A tone has zeros: loud is what was loud a moment ago.
      for (const [index, sample] of (input?.[0] ?? []).entries()) {
        if (Math.abs(sample) < 0.05) continue;
        const at = scope.currentTime + index / scope.sampleRate;
        if (at - this.loudAt > 0.2) this.port.postMessage(at);
        this.loudAt = at;
      }
      return true;
    }
  }
  scope.registerProcessor('listener', Listener);
}

/** Runs in the page. */
async function watch({ selector, listener }: { selector: string; listener: string }): Promise<void> {
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

  const audio = new AudioContext();
  await audio.audioWorklet.addModule(URL.createObjectURL(new Blob([listener], { type: 'text/javascript' })));
  const ear = new AudioWorkletNode(audio, 'listener');
  const pc = window.peerConnections.filter((known) => known.connectionState !== 'closed').at(-1);
  for (const receiver of pc?.getReceivers() ?? []) {
    if (receiver.track.kind !== 'audio') continue;
    new MediaStreamAudioSourceNode(audio, { mediaStream: new MediaStream([receiver.track]) }).connect(ear);
  }
  // What is not connected to an output is not run.
  ear.connect(new GainNode(audio, { gain: 0 })).connect(audio.destination);
  ear.port.onmessage = ({ data }: MessageEvent<number>) => {
    const { contextTime, performanceTime } = audio.getOutputTimestamp();
    heard.push((performanceTime ?? 0) + (data - (contextTime ?? 0)) * 1000);
  };
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
