// Where things are, and how to run a program. Node's own modules only: this runs before `npm ci`.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A path inside the project. */
export function at(...parts) {
  return join(root, ...parts);
}

/** Says what happens, on stderr: stdout belongs to the results. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Ends the script with a message that a person can act on. */
export function giveUp(message, hint) {
  say(`\n${message}`);
  if (hint) say(`hint: ${hint}`);
  process.exit(1);
}

/** Runs a program in the project with its output passed through; true when it exits with 0. */
export function run(file, args, options = {}) {
  const result = spawnSync(file, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) say(`${file}: ${result.error.message}`);
  return result.status === 0;
}

/** Runs a program and shows what it wrote only when it fails; true when it exits with 0. */
export function runQuietly(file, args, options = {}) {
  const stdio = ['ignore', 'pipe', 'pipe'];
  const maxBuffer = 64 * 1024 * 1024;
  const result = spawnSync(file, args, { cwd: root, stdio, maxBuffer, ...options });
  if (result.status === 0) return true;
  process.stderr.write(result.stdout ?? '');
  process.stderr.write(result.stderr ?? '');
  if (result.error) say(`${file}: ${result.error.message}`);
  return false;
}
