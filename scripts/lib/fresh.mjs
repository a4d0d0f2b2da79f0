// Which results are older than what they are made of.
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** All files below a directory, as paths; none when it is missing. */
export function filesBelow(dir) {
  if (!existsSync(dir)) return [];
  const entries = readdirSync(dir, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Whether `stamp` exists and no input was changed after it was written. */
export function isFresh(stamp, inputs) {
  if (!existsSync(stamp)) return false;
  const made = statSync(stamp).mtimeMs;
  return inputs.every((input) => existsSync(input) && statSync(input).mtimeMs <= made);
}

/** Marks a result as made from everything that was there at `startedAt`, in milliseconds. */
export function writeStamp(stamp, startedAt) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, '');
  // A file changed while the build ran must count as newer.
  const seconds = startedAt / 1000;
  utimesSync(stamp, seconds, seconds);
}
