import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The system calls between two marks of a program. */
export interface Part {
  /** Of the program's own threads. */
  readonly node: readonly string[];
  /** Of the monitor from its exec on, and of what it forks until that execs. */
  readonly monitor: readonly string[];
}

// A signal for a process that cannot be: nobody else sends it.
const MARK = 'kill(2147483632, 0';
const LINE = /^(\d+) +(.*)$/;

/** What a traced program calls between its parts; `mark()` in its text. */
export const markSource = `function mark() {
    try { process.kill(2147483632, 0); } catch { /* ESRCH */ }
  }`;

/**
 * Runs a module in a Node program of its own below strace(1).
 *
 * @param source the module; each `mark()` ends a part
 * @returns the parts in their order, without what came before the first mark
 */
export async function traced(source: string): Promise<Part[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dragonfly-jail-strace-'));
  try {
    const file = join(folder, 'calls');
    const node = [process.execPath, '--input-type=module', '-e', `${markSource}\n${source}`];
    await promisify(execFile)('strace', ['-f', '-qq', '-s', '0', '-o', file, ...node]);
    return parts((await readFile(file, 'utf8')).split('\n'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Is there a strace(1) that may trace? Null, or why not. */
export async function whyNotTraced(): Promise<string | null> {
  try {
    await promisify(execFile)('strace', ['-o', '/dev/null', 'true']);
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'strace is not installed' : `strace cannot trace here: ${message}`;
  }
}

class Recorder {
  readonly node = new Set<string>();
  readonly parts: { node: string[]; monitor: Map<string, string[]> }[] = [];
  readonly #left = new Set<string>();

  line(pid: string, call: string): void {
    if (call.startsWith(MARK)) this.parts.push({ node: [], monitor: new Map() });
    else if (this.parts.length === 0) this.node.add(pid);
    else if (isCall(call)) this.#count(pid, call);
  }

  #count(pid: string, call: string): void {
    const part = this.parts[this.parts.length - 1];
    if (part === undefined || this.#left.has(pid)) return;
    if (this.node.has(pid)) {
      part.node.push(call);
      return;
    }
    const calls = part.monitor.get(pid) ?? [];
    part.monitor.set(pid, calls);
    if (call.startsWith('execve(')) this.#exec(pid, call, calls);
    else calls.push(call);
  }

  // What the libc does for posix_spawn(3) before is not counted, and what a command does is not ours.
  #exec(pid: string, call: string, calls: string[]): void {
    const monitor = /^execve\("[^"]*(\/jail-monitor|\/proc\/self\/fd\/4)"/.test(call);
    if (monitor) calls.length = 0;
    else this.#left.add(pid);
    calls.push(call);
  }
}

function isCall(call: string): boolean {
  return /^[a-z_0-9]+\(/.test(call);
}

function parts(lines: readonly string[]): Part[] {
  const recorder = new Recorder();
  for (const line of lines) {
    const found = LINE.exec(line);
    if (found) recorder.line(found[1] ?? '', found[2] ?? '');
  }
  return recorder.parts.map(({ node, monitor }) => ({
    node,
    monitor: [...monitor.values()].flat(),
  }));
}
