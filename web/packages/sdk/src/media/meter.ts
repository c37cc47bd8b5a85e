/** Measures a microphone by WebAudio, on a copy of its track that is never sent. */
import { decibels } from './level';

/** Measurements a second: a meter looks alive. */
const INTERVAL_MS = 50;

export class Meter {
  private readonly context: AudioContext;
  private readonly track: MediaStreamTrack;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly resume = (): void => void this.context.resume().catch(() => undefined);

  /** Calls `tell` with decibels of full scale. */
  constructor(track: MediaStreamTrack, tell: (db: number) => void) {
    this.context = new AudioContext();
    this.track = track.clone();
    // The copy hears while the original is muted.
    this.track.enabled = true;
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 2048;
    this.context.createMediaStreamSource(new MediaStream([this.track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.timer = setInterval(() => {
      if (this.context.state !== 'running') return;
      analyser.getFloatTimeDomainData(samples);
      tell(decibels(samples));
    }, INTERVAL_MS);
    // Without a click on the page, browsers keep the context suspended.
    this.resume();
    document.addEventListener('pointerdown', this.resume);
    document.addEventListener('keydown', this.resume);
  }

  stop(): void {
    clearInterval(this.timer);
    document.removeEventListener('pointerdown', this.resume);
    document.removeEventListener('keydown', this.resume);
    this.track.stop();
    this.context.close().catch(() => undefined);
  }
}
