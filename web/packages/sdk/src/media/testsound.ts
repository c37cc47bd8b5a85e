/** Two soft tones, one after the other. */
const TONES_HZ = [523.25, 783.99];
const TONE_S = 0.35;
const LOUDNESS = 0.2;

/** Plays the test sound on a speaker; resolves when it is over. Rejects when the browser refuses to play. */
export async function playTestSound(speakerId: string): Promise<void> {
  const context = new AudioContext();
  const element = new Audio();
  try {
    const out = context.createMediaStreamDestination();
    TONES_HZ.forEach((hz, i) => tone(context, out, hz, context.currentTime + 0.05 + i * TONE_S));
    element.srcObject = out.stream;
    if (speakerId !== '' && 'setSinkId' in element) await element.setSinkId(speakerId);
    await context.resume();
    await element.play();
    await new Promise((resolve) => setTimeout(resolve, 1000 * (0.2 + TONES_HZ.length * TONE_S)));
  } finally {
    element.srcObject = null;
    await context.close();
  }
}

function tone(context: AudioContext, out: AudioNode, hz: number, at: number): void {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = hz;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(LOUDNESS, at + 0.03);
  gain.gain.setTargetAtTime(0, at + TONE_S * 0.5, 0.06);
  oscillator.connect(gain).connect(out);
  oscillator.start(at);
  oscillator.stop(at + TONE_S + 0.3);
}
