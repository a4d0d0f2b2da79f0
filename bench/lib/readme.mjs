// The last table and its curves, as bench/README.md shows them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { drawCurves } from './curves.mjs';
import { head, lines } from './report.mjs';
import { digits } from './row.mjs';

const FILE = fileURLToPath(new URL('../README.md', import.meta.url));
const FOLDER = fileURLToPath(new URL('../curves', import.meta.url));
// A place for each system.
const marksOf = (system) => {
  const whose = system.startsWith('DragonFly') ? ' on DragonFly' : '';
  return [`<!-- the last table${whose} -->`, `<!-- its end${whose} -->`];
};

/** Puts a run's table between the marks of bench/README.md, and draws the curves beside it. */
export function writeReadme(machine, results) {
  const text = readFileSync(FILE, 'utf8');
  const [begin, end] = marksOf(machine.system);
  const [before, rest] = [text.split(begin)[0], text.split(end)[1]];
  if (rest === undefined) throw new Error(`${FILE} has no place for the table`);
  const table = [describe(machine), '', ...head, ...results.flatMap(lines), '', ...steps(results)];
  writeFileSync(FILE, `${before}${begin}\n${table.join('\n')}\n${end}${rest}`);
  if (!machine.system.startsWith('DragonFly')) writeCurves(results);
}

function describe({ date, processor, processors, memory, system, node, load }) {
  const what = `${processors} processors ${processor}, ${memory}, ${system}, Node ${node}`;
  return `${date}: ${what}; load before: ${load.toFixed(2)}. Median (quartiles).`;
}

function steps(results) {
  const taken = results.find((row) => row.steps)?.steps;
  if (taken === undefined) return [];
  const told = Object.entries(taken).map(([step, ms]) => `\`${step}\` ${digits(ms)}`);
  return [`The steps of making the jail with 4 addresses and 4 mounts, in ms: ${told.join(', ')}.`];
}

function writeCurves(results) {
  mkdirSync(FOLDER, { recursive: true });
  const heaps = results.filter((row) => row.heap && row.figures);
  if (heaps.length > 1) save('loop-block', heapPicture(heaps));
  const { points } = results.find((row) => row.points) ?? {};
  if (points) save('many-jails', manyPicture(points));
}

function save(name, picture) {
  writeFileSync(`${FOLDER}/${name}.svg`, drawCurves(picture));
}

function heapPicture(rows) {
  const points = (name) => rows.map(({ heap, figures }) => [heap, figures[name].median]);
  return {
    title: 'How long one spawn holds the event loop',
    x: 'living objects in Node’s heap, MB',
    y: 'ms',
    lines: [
      { name: 'jail.spawn', points: points('ours') },
      { name: 'child_process.spawn', points: points('child_process.spawn') },
    ],
  };
}

function manyPicture(points) {
  return {
    title: 'With many jails alive',
    x: 'jails',
    y: 'ms',
    lines: [
      { name: 'create one more', points: points.map(({ jails, create }) => [jails, create]) },
      { name: 'listJails(), all', points: points.map(({ jails, list }) => [jails, list]) },
    ],
  };
}
