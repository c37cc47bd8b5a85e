/**
 * Nicer pictures than a browser's fake devices have, for `docs/screens`: everybody gets a drawn person in a room of a
 * colour of their own, and shared screens show a page of a document. Devices get the names that real ones have.
 */
import type { Page } from '@playwright/test';

/** Gives the page drawn devices. Before the page loads. */
export async function useScenery(page: Page, seed: number): Promise<void> {
  await page.addInitScript(scenery, seed);
}

/** Runs in the page. */
function scenery(seed: number): void {
  const devices = navigator.mediaDevices;
  const getUserMedia = devices.getUserMedia.bind(devices);
  const enumerateDevices = devices.enumerateDevices.bind(devices);

  devices.getUserMedia = async (constraints) => {
    const video = constraints?.video;
    const stream = constraints?.audio ? await sound(constraints.audio) : new MediaStream();
    if (!video) return stream;
    const real = await getUserMedia({ video });
    const settings = real.getVideoTracks()[0]?.getSettings() ?? {};
    for (const track of real.getTracks()) track.stop();
    stream.addTrack(drawn(1280, 720, settings.deviceId ?? '', portrait));
    return stream;
  };
  devices.getDisplayMedia = async () => new MediaStream([drawn(1280, 720, '', slide)]);
  devices.enumerateDevices = async () => {
    const names: Record<string, string[]> = {
      audioinput: ['Default', 'Built-in microphone', 'Headset'],
      videoinput: ['Built-in camera', 'Desk camera', 'Document camera'],
      audiooutput: ['Default', 'Built-in speakers', 'Headset'],
    };
    return (await enumerateDevices()).map((device) => {
      const label = names[device.kind]?.shift() ?? device.label;
      return new Proxy(device, { get: (target, key) => (key === 'label' ? label : Reflect.get(target, key)) });
    });
  };

  /** The first person speaks (the browser's own beeps); the others listen. */
  async function sound(audio: MediaTrackConstraints | boolean): Promise<MediaStream> {
    const real = await getUserMedia({ audio });
    if (seed === 1) return real;
    const context = new AudioContext();
    const silence = context.createMediaStreamDestination();
    const [track] = silence.stream.getAudioTracks();
    const settings = real.getAudioTracks()[0]?.getSettings() ?? {};
    if (track) track.getSettings = () => settings;
    for (const one of real.getTracks()) one.stop();
    return silence.stream;
  }

  function drawn(
    width: number,
    height: number,
    deviceId: string,
    draw: (context: CanvasRenderingContext2D, second: number) => void,
  ): MediaStreamTrack {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d');
    const begin = performance.now();
    const timer = setInterval(() => context && draw(context, (performance.now() - begin) / 1000), 100);
    if (context) draw(context, 0);
    const track = canvas.captureStream(10).getVideoTracks()[0]!;
    const getSettings = track.getSettings.bind(track);
    track.getSettings = () => ({ ...getSettings(), deviceId, width, height });
    track.addEventListener('ended', () => clearInterval(timer));
    return track;
  }

  function portrait(context: CanvasRenderingContext2D, second: number): void {
    const { width, height } = context.canvas;
    const hue = (seed * 97 + 25) % 360;
    const sway = Math.sin(second * 1.3 + seed) * 10;
    const wall = context.createLinearGradient(0, 0, width, height);
    wall.addColorStop(0, `hsl(${hue} 32% 78%)`);
    wall.addColorStop(1, `hsl(${(hue + 40) % 360} 30% 58%)`);
    context.fillStyle = wall;
    context.fillRect(0, 0, width, height);
    // A window, and a shelf with books.
    context.fillStyle = `hsl(${hue} 60% 92%)`;
    context.fillRect(seed % 2 ? 80 : 920, 70, 280, 260);
    context.fillStyle = `hsl(${hue} 25% 48%)`;
    context.fillRect(seed % 2 ? 860 : 60, 330, 340, 16);
    for (let i = 0; i < 9; i++) {
      context.fillStyle = `hsl(${(hue + i * 47) % 360} 38% ${42 + ((i * 7) % 25)}%)`;
      const bookHeight = 70 + ((i * 29 + seed * 13) % 50);
      context.fillRect((seed % 2 ? 880 : 80) + i * 32, 330 - bookHeight, 24, bookHeight);
    }
    const skin = ['#f1c9a5', '#8d5a3b', '#d9a074', '#5f3b2a', '#e8b58f'][seed % 5]!;
    const hair = ['#3b2a20', '#171310', '#a5713c', '#2a1d18', '#74706c'][(seed * 2) % 5]!;
    const x = width / 2 + sway;
    context.fillStyle = `hsl(${(hue + 180) % 360} 38% 38%)`;
    shape(context, () => context.ellipse(x, 790, 330, 300, 0, 0, Math.PI * 2));
    context.fillStyle = skin;
    context.fillRect(x - 55, 420, 110, 110);
    shape(context, () => context.ellipse(x, 340, 132, 165, 0, 0, Math.PI * 2));
    context.fillStyle = hair;
    shape(context, () => context.ellipse(x, 255, 146, 108, 0, Math.PI, Math.PI * 2));
    if (seed % 2) {
      context.fillRect(x - 146, 250, 44, 210);
      context.fillRect(x + 102, 250, 44, 210);
    }
    const blink = second % 4 < 0.15 ? 2 : 11;
    context.fillStyle = '#241c18';
    shape(context, () => context.ellipse(x - 48, 335, 11, blink, 0, 0, Math.PI * 2));
    shape(context, () => context.ellipse(x + 48, 335, 11, blink, 0, 0, Math.PI * 2));
    context.strokeStyle = '#7c3b33';
    context.lineWidth = 9;
    context.lineCap = 'round';
    context.beginPath();
    context.arc(x, 398, 44, 0.2, Math.PI - 0.2);
    context.stroke();
  }

  function shape(context: CanvasRenderingContext2D, outline: () => void): void {
    context.beginPath();
    outline();
    context.fill();
  }

  function slide(context: CanvasRenderingContext2D, second: number): void {
    const { width, height } = context.canvas;
    context.fillStyle = '#fbfaf7';
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#20302f';
    context.font = '600 52px sans-serif';
    context.fillText('Visitors, first half of the year', 90, 130);
    context.font = '26px sans-serif';
    context.fillStyle = '#5b6a68';
    context.fillText('Two of three came by the new link', 90, 180);
    const bars = [180, 240, 225, 310, 350, 405];
    bars.forEach((bar, index) => {
      context.fillStyle = index === bars.length - 1 ? '#0f766e' : '#9fc5bf';
      context.fillRect(110 + index * 180, 630 - bar, 110, bar);
      context.fillStyle = '#5b6a68';
      context.fillText(['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun'][index]!, 140 + index * 180, 672);
    });
    context.fillStyle = '#0f766e';
    context.fillRect(90, 700, ((second * 40) % (width - 180)) + 4, 4);
  }
}
