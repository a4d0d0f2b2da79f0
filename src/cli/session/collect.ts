import { Writable } from 'node:stream';
import { JailError } from '../../errors.js';
import type { Jail } from '../../jail.js';
import type { Io } from '../io.js';
import type { SessionCommand, SessionEnd } from './command.js';
import { plainSession } from './plain-session.js';

const MAX_BYTES = 64 * 2 ** 20;

/** How a command ended, with what it wrote. */
export interface Collected extends SessionEnd {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command and collects what it writes, as UTF-8.
 *
 * @param jail where
 * @param command what
 * @param io whose stdin and signals
 * @throws JailError `ERR_CHILD_PROCESS_STDIO_MAXBUFFER`: more than 64 MiB; and what `session()` throws
 */
export async function collect(jail: Jail, command: SessionCommand, io: Io): Promise<Collected> {
  const stdout = new Collector();
  const stderr = new Collector();
  const end = await plainSession(jail, command, io, { stdout, stderr });
  return { ...end, stdout: stdout.text('stdout'), stderr: stderr.text('stderr') };
}

class Collector extends Writable {
  readonly #chunks: Buffer[] = [];
  #size = 0;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#size += chunk.length;
    if (this.#size <= MAX_BYTES) this.#chunks.push(chunk);
    done();
  }

  text(name: string): string {
    if (this.#size <= MAX_BYTES) return Buffer.concat(this.#chunks).toString();
    const hint = 'without --json it goes where you want it';
    const message = `${name} of the command has more than ${MAX_BYTES} bytes`;
    throw new JailError('ERR_CHILD_PROCESS_STDIO_MAXBUFFER', message, { hint });
  }
}
