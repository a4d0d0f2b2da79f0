import type { Io, OutputStream } from '../io.js';

/** Marks text for a terminal, or leaves it as it is. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  reverse(text: string): string;
}

/**
 * Colours, where they are wanted: on a terminal that is not `dumb`, unless NO_COLOR says otherwise.
 *
 * @param stream where the text goes
 * @param env with NO_COLOR (see no-color.org: anything but empty) and TERM
 */
export function paint(stream: OutputStream, env: Io['env']): Paint {
  const wanted = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return wanted ? colourful : plain;
}

function mark(on: number, off: number): (text: string) => string {
  return (text) => (text === '' ? '' : `\x1b[${on}m${text}\x1b[${off}m`);
}

const colourful: Paint = {
  bold: mark(1, 22),
  dim: mark(2, 22),
  good: mark(32, 39),
  warn: mark(33, 39),
  bad: mark(31, 39),
  reverse: mark(7, 27),
};

const same = (text: string) => text;
const plain: Paint = { bold: same, dim: same, good: same, warn: same, bad: same, reverse: same };
