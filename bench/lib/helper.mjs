// Programs that answer a line for each line they are given, and the C server that forks for Node.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program that answers line by line. */
export class LineProgram {
  #child;
  #lines;

  constructor(file, args = [], options = {}) {
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.#child.pid;
  }

  async ask(line) {
    this.#child.stdin.write(`${line}\n`);
    return this.next();
  }

  async next() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('a program of the bench ended too early');
    return value;
  }

  async end() {
    if (this.#child.exitCode !== null) return;
    this.#child.stdin.end();
    await once(this.#child, 'close');
  }
}

/** Asks a C program over a socket to start a program and to wait for it; rejects when that could not be. */
export class ForkServer {
  #child;
  #socket;
  #waiting = null;

  constructor(file, ...args) {
    this.#child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
    this.#socket = this.#child.stdio[3];
    this.#socket.on('data', (status) => this.#waiting?.(status[0]));
  }

  /** @param line is read, and not looked at */
  async run(line = '\n') {
    const status = await this.#ask(line);
    if (status !== 0) throw new Error(`the C server's program ended with ${status}`);
  }

  #ask(line) {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#socket.write(line);
    });
  }

  async end() {
    this.#socket.end();
    await once(this.#child, 'exit');
  }
}

/** Starts a program by child_process and waits until it is over. */
export function runChild(file, args, options = { stdio: 'ignore' }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, options);
    child.on('error', reject);
    child.on('close', (code) => resolve(code));
  });
}

/** Is this program installed? */
export async function isInstalled(name) {
  return (await runChild('sh', ['-c', `command -v ${name}`])) === 0;
}
