/** Pictures for made-up people and screens: drawn, so that nothing needs a licence or a network. */

const SKIN = ['#f1c9a5', '#d9a066', '#8d5524', '#c68642', '#ffdbac', '#5c3a21', '#e0ac69', '#a9714b'];
const HAIR = ['#2b1b12', '#6b4423', '#d6a54b', '#111417', '#8f3b1b', '#b9b4ac', '#3b2a20', '#5b4636'];
const ROOMS = [
  ['#3d5a6c', '#9fb8c3'],
  ['#5b4a6f', '#c9b8d8'],
  ['#6b5240', '#e0c9ae'],
  ['#3f5f4a', '#b7d1b4'],
  ['#64504f', '#d9bfb9'],
  ['#38495e', '#a9bdd6'],
  ['#6a6140', '#ddd5ae'],
  ['#3e5557', '#aecdcc'],
] as const;

function pick<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length];
  if (found === undefined) {
    throw new Error('an empty list');
  }
  return found;
}

/** Draws person number `index` into a context of this size; `t` (seconds) moves them a little. */
export function drawPerson(context: CanvasRenderingContext2D, width: number, height: number, index: number, t: number) {
  const [dark, light] = pick(ROOMS, index);
  const room = context.createLinearGradient(0, 0, width, height);
  room.addColorStop(0, light);
  room.addColorStop(1, dark);
  context.fillStyle = room;
  context.fillRect(0, 0, width, height);
  drawRoom(context, width, height, index);

  const unit = height / 100;
  const sway = Math.sin(t * 0.9 + index) * 1.4;
  const x = width * (0.47 + 0.03 * Math.sin(index * 2.1)) + sway * unit;
  const y = height * 0.47 + Math.sin(t * 1.3 + index) * 0.6 * unit;
  context.fillStyle = `hsl(${(index * 67 + 200) % 360} 32% 38%)`;
  context.beginPath();
  context.ellipse(x, height * 1.07, 36 * unit, 34 * unit, 0, Math.PI, 0);
  context.fill();
  context.fillStyle = pick(SKIN, index * 3);
  context.fillRect(x - 6.5 * unit, y + 10 * unit, 13 * unit, 18 * unit);
  context.fillStyle = pick(HAIR, index * 5 + 1);
  context.beginPath();
  context.ellipse(x, y - 4 * unit, 18.5 * unit, 21 * unit, 0, 0, 7);
  context.fill();
  if (index % 2 === 0) {
    context.fillRect(x - 18 * unit, y - 4 * unit, 36 * unit, 24 * unit);
  }
  context.fillStyle = pick(SKIN, index * 3);
  context.beginPath();
  context.ellipse(x, y + 1.5 * unit, 14.6 * unit, 18 * unit, 0, 0, 7);
  context.fill();
  drawFace(context, x, y, unit, t, index);
}

function drawRoom(context: CanvasRenderingContext2D, width: number, height: number, index: number) {
  context.fillStyle = 'rgb(255 255 255 / 20%)';
  if (index % 3 === 0) {
    context.fillRect(width * 0.07, height * 0.1, width * 0.2, height * 0.44);
    context.fillStyle = 'rgb(0 0 0 / 16%)';
    context.fillRect(width * 0.165, height * 0.1, width * 0.01, height * 0.44);
  } else if (index % 3 === 1) {
    context.fillStyle = 'rgb(0 0 0 / 15%)';
    for (let shelf = 0; shelf < 3; shelf += 1) {
      context.fillRect(width * 0.72, height * (0.18 + shelf * 0.2), width * 0.24, height * 0.015);
    }
  } else {
    context.beginPath();
    context.ellipse(width * 0.84, height * 0.24, height * 0.12, height * 0.12, 0, 0, 7);
    context.fill();
  }
}

function drawFace(context: CanvasRenderingContext2D, x: number, y: number, unit: number, t: number, index: number) {
  context.fillStyle = '#22201e';
  const open = Math.sin(t * 0.8 + index * 1.7) > -0.97 ? 1.5 : 0.3;
  for (const side of [-1, 1]) {
    context.beginPath();
    context.ellipse(x + side * 5.4 * unit, y, 1.4 * unit, open * unit, 0, 0, 7);
    context.fill();
  }
  context.strokeStyle = '#7d4038';
  context.lineWidth = 1.1 * unit;
  context.beginPath();
  context.ellipse(
    x,
    y + 7.6 * unit,
    4 * unit,
    (1.6 + Math.abs(Math.sin(t * 5 + index)) * 0.9) * unit,
    0,
    0.2,
    Math.PI - 0.2,
  );
  context.stroke();
}

/** Draws a shared screen: slides (even) or a code editor (odd). */
export function drawScreen(context: CanvasRenderingContext2D, width: number, height: number, index: number) {
  if (index % 2 === 0) {
    drawSlide(context, width, height);
  } else {
    drawEditor(context, width, height);
  }
}

function drawSlide(context: CanvasRenderingContext2D, width: number, height: number) {
  context.fillStyle = '#fbfaf6';
  context.fillRect(0, 0, width, height);
  context.fillStyle = '#12231d';
  context.font = `700 ${height * 0.075}px sans-serif`;
  context.fillText('Water level, spring to autumn', width * 0.07, height * 0.17);
  context.fillStyle = '#5d6b66';
  context.font = `400 ${height * 0.036}px sans-serif`;
  context.fillText('Metres above the gauge, weekly mean', width * 0.07, height * 0.235);
  for (let bar = 0; bar < 16; bar += 1) {
    const tall = height * (0.12 + 0.4 * Math.abs(Math.sin(bar * 0.55 + 0.4)));
    context.fillStyle = bar === 10 ? '#c2532d' : '#0a6b4d';
    context.fillRect(width * (0.07 + bar * 0.054), height * 0.88 - tall, width * 0.038, tall);
  }
  context.fillStyle = '#12231d';
  context.fillRect(width * 0.07, height * 0.885, width * 0.86, height * 0.004);
}

function drawEditor(context: CanvasRenderingContext2D, width: number, height: number) {
  context.fillStyle = '#14181d';
  context.fillRect(0, 0, width, height);
  context.fillStyle = '#1d232a';
  context.fillRect(0, 0, width * 0.17, height);
  const colours = ['#7fb7ff', '#d0d7de', '#8fd6a3', '#e7b86a', '#d0d7de', '#c49bff'];
  for (let line = 0; line < 26; line += 1) {
    const indent = [0, 1, 2, 2, 1, 2, 3, 2, 1, 0][line % 10] ?? 0;
    let x = width * (0.2 + indent * 0.025);
    for (let word = 0; word < 3 + ((line * 7) % 4); word += 1) {
      const long = width * (0.03 + (((line * 13 + word * 29) % 9) / 9) * 0.07);
      context.fillStyle = pick(colours, line + word);
      context.fillRect(x, height * (0.05 + line * 0.035), long, height * 0.013);
      x += long + width * 0.012;
    }
  }
}

/** A canvas that is drawn again twelve times a second, as a stream. */
export function stream(width: number, height: number, draw: (context: CanvasRenderingContext2D, t: number) => void) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  const from = performance.now();
  const paint = () => {
    if (context !== null) {
      draw(context, (performance.now() - from) / 1_000);
    }
  };
  paint();
  const timer = setInterval(paint, 1_000 / 12);
  const media = canvas.captureStream(12);
  return {
    media,
    stop: () => {
      clearInterval(timer);
    },
  };
}
