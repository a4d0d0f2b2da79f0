import { Writable } from 'node:stream';

// Several processes may write to one output, as to one open file: it ends with the last of them.

const holders = new WeakMap<Writable, number>();

/** One process more writes to it. */
export function holdOutput(output: Writable): void {
  holders.set(output, (holders.get(output) ?? 0) + 1);
}

/** One less: with the last it ends. */
export function releaseOutput(output: Writable): void {
  const left = (holders.get(output) ?? 1) - 1;
  holders.set(output, left);
  if (left <= 0) output.end();
}

/** An output for a child, which goes into its parent's. What nobody holds, the parent's maker ends. */
export function branchOutput(output: Writable): Writable {
  const isHeld = (holders.get(output) ?? 0) > 0;
  if (isHeld) holdOutput(output);
  const branch = new Writable({
    write: (chunk, _encoding, done) => {
      if (!output.writable) done(brokenPipe());
      else if (output.write(chunk)) done();
      else onceWritable(output, done);
    },
  });
  branch.on('error', () => {});
  if (isHeld) branch.on('close', () => releaseOutput(output));
  return branch;
}

/** Waits until everything is written, or cannot be: write(2) would have waited as well. */
export function written(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (output.writableLength === 0 || !output.writable) resolve();
    else output.write('', () => resolve());
  });
}

function onceWritable(output: Writable, done: (error?: Error) => void): void {
  const go = () => {
    output.off('drain', go).off('close', go);
    if (output.writable) done();
    else done(brokenPipe());
  };
  output.on('drain', go).on('close', go);
}

function brokenPipe(): Error {
  return Object.assign(new Error('broken pipe'), { code: 'EPIPE' });
}
