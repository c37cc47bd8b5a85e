/** A microphone that a test switches on and off, and a watch on who is large: for tests of who is shown. */
import type { Page } from '@playwright/test';

/** What these put into the page. */
interface Voiced {
  voice: { speak(on: boolean): void; cough(ms: number): void };
  /** Who became the large tile, and when (milliseconds since 1970). */
  shown: { at: number; who: string }[];
}

/** Gives the page a silent microphone. Before the page loads. */
export async function useVoice(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const scope = globalThis as unknown as Voiced;
    const devices = navigator.mediaDevices;
    const real = devices.getUserMedia.bind(devices);
    let loudness: GainNode | undefined;
    scope.voice = {
      speak: (on) => {
        if (loudness) loudness.gain.value = on ? 0.5 : 0;
      },
      cough: (ms) => {
        const now = loudness?.context.currentTime ?? 0;
        loudness?.gain.setValueAtTime(0.5, now + 0.1).setValueAtTime(0, now + 0.1 + ms / 1000);
      },
    };
    devices.getUserMedia = async (constraints) => {
      const stream = await real(constraints);
      const [microphone] = stream.getAudioTracks();
      if (microphone === undefined) return stream;
      const settings = microphone.getSettings();
      stream.removeTrack(microphone);
      microphone.stop();
      const context = new AudioContext();
      const tone = new OscillatorNode(context, { frequency: 220, type: 'sawtooth' });
      loudness = new GainNode(context, { gain: 0 });
      const sink = new MediaStreamAudioDestinationNode(context);
      tone.connect(loudness).connect(sink);
      tone.start();
      const [voice] = sink.stream.getAudioTracks();
      if (voice) {
        voice.getSettings = () => settings;
        stream.addTrack(voice);
      }
      return stream;
    };
  });
}

/** Notes who is large, in the speaker layout. Before the page loads. */
export async function watchLarge(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const scope = globalThis as unknown as Voiced;
    scope.shown = [];
    localStorage.setItem('althing.preferences', JSON.stringify({ layout: 'speaker' }));
    const look = (): void => {
      const large = document.querySelector('[data-testid="tile"][data-role="large"]');
      const who = large?.getAttribute('data-participant') ?? '';
      if (who !== '' && who !== scope.shown.at(-1)?.who) scope.shown.push({ at: Date.now(), who });
    };
    new MutationObserver(look).observe(document, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: ['data-role', 'data-participant'],
    });
  });
}

/** Begins or ends to speak. */
export async function speak(page: Page, on: boolean): Promise<void> {
  await page.evaluate((now) => (globalThis as unknown as Voiced).voice.speak(now), on);
}

/** Makes a sound of exactly this length, however busy the machine is. */
export async function cough(page: Page, ms: number): Promise<void> {
  await page.evaluate((length) => (globalThis as unknown as Voiced).voice.cough(length), ms);
}

/** Everybody who was large, in turn. */
export async function shownLarge(page: Page): Promise<Voiced['shown']> {
  return page.evaluate(() => (globalThis as unknown as Voiced).shown);
}
