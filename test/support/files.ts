import * as fs from 'node:fs';
import { modelKernel } from './model/world.js';

// What the tests do to the files of the host: this machine's, or the model's.

/** Writes a whole file. */
export function writeFile(path: string, text: string | Uint8Array, mode = 0o644): void {
  const host = modelKernel()?.host;
  if (host === undefined) {
    fs.writeFileSync(path, text, { mode });
    return;
  }
  host.openForWriting(path)(Buffer.from(text));
  host.chmod(path, mode);
}

/** Adds to a file. */
export function appendFile(path: string, text: string): void {
  const host = modelKernel()?.host;
  if (host === undefined) fs.appendFileSync(path, text);
  else host.openForWriting(path, { append: true })(Buffer.from(text));
}

/** The text of a file. */
export function readFile(path: string): string {
  const host = modelKernel()?.host;
  return host === undefined
    ? fs.readFileSync(path, 'utf8')
    : Buffer.from(host.readFile(path)).toString();
}

/** Makes a directory and those above it, and gives it its mode. */
export function makeDirectory(path: string, mode = 0o755): void {
  const kernel = modelKernel();
  if (kernel === null) {
    fs.mkdirSync(path, { recursive: true });
    fs.chmodSync(path, mode);
    return;
  }
  kernel.directory(path);
  kernel.host.chmod(path, mode);
}

/** Makes a symbolic link. */
export function makeLink(target: string, path: string): void {
  const host = modelKernel()?.host;
  if (host === undefined) fs.symlinkSync(target, path);
  else host.symlink(target, path);
}

/** Removes a file, or a link, if it is there. */
export function removeFile(path: string): void {
  const host = modelKernel()?.host;
  if (host === undefined) {
    fs.rmSync(path, { force: true });
    return;
  }
  try {
    host.unlink(path);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
  }
}

/** The owner of a file. */
export function ownerOf(path: string): number {
  const host = modelKernel()?.host;
  return host === undefined ? fs.statSync(path).uid : host.stat(path).uid;
}

/** The names in a directory. */
export function namesIn(path: string): string[] {
  const host = modelKernel()?.host;
  return host === undefined ? fs.readdirSync(path) : host.readdir(path);
}
