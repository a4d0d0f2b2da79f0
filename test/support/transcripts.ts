import { recordedFile } from './recordings.js';

/** One call of a program of the base system, as it was recorded. */
export interface Transcript {
  /** Of the file, where it ends. */
  readonly line: number;
  /** The arguments joined by spaces: where they ended is lost. */
  readonly text: string;
  /** stdout and stderr together. */
  readonly output: string;
  readonly status: number;
}

/** The calls of each of the two boots, in order. */
export function recordedCalls(): readonly (readonly Transcript[])[] {
  const boots: Transcript[][] = [[]];
  let line = 0;
  let text: string | null = null;
  let output = '';
  for (const row of recordedFile('tools-5.9.txt').split('\n')) {
    line++;
    const end = /^=== (\d+)$/.exec(row);
    if (row === '### done') boots.push([]);
    else if (row.startsWith('### ')) {
      text = row.slice(4);
      output = '';
    } else if (end !== null && text !== null) {
      boots.at(-1)?.push({ line, text, output, status: Number(end[1]) });
      text = null;
    } else if (text !== null) output += `${row}\n`;
  }
  return boots.filter((calls) => calls.length > 0);
}
