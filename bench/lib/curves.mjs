// Curves as SVG, on logarithmic axes: what grows shows as a slope.
import { digits } from './row.mjs';

const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = { left: 70, right: 170, top: 40, bottom: 50 };
const COLOURS = ['#0b6e4f', '#c0392b', '#2c5aa0'];

/**
 * A picture of several curves.
 *
 * @param picture.title what it shows
 * @param picture.x     what goes to the right, with its unit
 * @param picture.y     what goes up, with its unit
 * @param picture.lines each `{ name, points: [[x, y], …] }`
 */
export function drawCurves({ title, x, y, lines }) {
  const all = lines.flatMap(({ points }) => points);
  const right = scale(
    all.map(([value]) => value),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const up = scale(
    all.map(([, value]) => value),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`, // for those who cannot see it
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(WIDTH / 2, 22, title, 'middle', 'font-size="15"'),
    ...axis(
      lines[0].points.map(([value]) => value),
      right,
      (at, label) => [
        grid(at, MARGIN.top, at, HEIGHT - MARGIN.bottom),
        text(at, HEIGHT - MARGIN.bottom + 18, label, 'middle'),
      ],
    ),
    ...axis(decades(all.map(([, value]) => value)), up, (at, label) => [
      grid(MARGIN.left, at, WIDTH - MARGIN.right, at),
      text(MARGIN.left - 8, at + 4, label, 'end'),
    ]),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 10, x, 'middle'),
    text(16, HEIGHT / 2, y, 'middle', `transform="rotate(-90 16 ${HEIGHT / 2})"`),
    ...lines.flatMap((line, i) => curve(line, right, up, COLOURS[i % COLOURS.length])),
    '</svg>',
    '',
  ].join('\n');
}

function scale(values, from, to) {
  const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  const span = high - low || 1;
  return (value) => from + ((Math.log(value) - low) / span) * (to - from);
}

// The powers of ten among the values, and the ends.
function decades(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const inner = [];
  for (let power = 10 ** Math.ceil(Math.log10(low)); power < high; power *= 10) inner.push(power);
  return [low, ...inner.filter((power) => power > low * 1.5 && power < high / 1.5), high];
}

function axis(values, at, draw) {
  return values.flatMap((value) => draw(at(value).toFixed(1), label(value)));
}

function label(value) {
  return value >= 100 ? String(Math.round(value)) : digits(value);
}

function curve({ name, points }, right, up, colour) {
  const places = points.map(([x, y]) => [right(x).toFixed(1), up(y).toFixed(1)]);
  const [endX, endY] = places.at(-1);
  return [
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.map((p) => p.join(',')).join(' ')}"/>`,
    ...places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`),
    text(Number(endX) + 8, Number(endY) + 4, name, 'start', `fill="${colour}"`),
  ];
}

function grid(x1, y1, x2, y2) {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ddd"/>`;
}

function text(x, y, words, anchor, more = '') {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" ${more}>${safe}</text>`;
}
