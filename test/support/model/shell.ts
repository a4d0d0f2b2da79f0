import { PassThrough, type Readable, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { ModelProcess, Program, ProgramContext } from 'dragonfly-jail/testing';
import { builtins } from './shell-builtins.js';
import {
  type Command,
  type Piece,
  parseScript,
  type Redirection,
  type Word,
} from './shell-syntax.js';
import { strerror } from './strerror.js';

/** How long a script computes until it is somebody else's turn. */
const TURN_MS = 1;
/** Counted at most for one such time: what is longer was spent waiting. */
const MOST_MS = 5;

/** The script ends with this. */
export class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** What a command reads and writes. */
export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** /bin/sh of the model: the part of sh(1) that the behaviour suite needs, on the model's system calls. */
export const sh: Program = async (context) => {
  const { argv, process } = context;
  const [name = 'sh', option = '', script = '', ...parameters] = argv;
  if (option !== '-c') {
    const source = Buffer.from(process.readFile(option)).toString();
    return new Shell(context, [option, script, ...parameters]).main(source);
  }
  return new Shell(context, parameters.length > 0 ? parameters : [name]).main(script);
};

export class Shell {
  readonly context: ProgramContext;
  readonly variables: Map<string, string>;
  readonly exported: Set<string>;
  readonly traps = new Map<string, string>();
  readonly background: ModelProcess[] = [];
  readonly functions: Map<string, Command>;
  /** $0 and those behind it. */
  readonly #parameters: readonly string[];
  /** Signals whose traps are to be run. */
  readonly #caught: string[] = [];
  #turnAt = performance.now();
  status = 0;
  /** `exec` has made another program of this process. */
  replaced: unknown;

  constructor(context: ProgramContext, parameters: readonly string[], from?: Shell) {
    this.context = context;
    this.#parameters = parameters;
    this.variables = new Map(from?.variables ?? Object.entries(context.env));
    this.functions = new Map(from?.functions);
    this.exported = new Set(from?.exported ?? Object.keys(context.env));
  }

  get process(): ModelProcess {
    return this.context.process;
  }

  get env(): Record<string, string> {
    return Object.fromEntries(
      [...this.exported].map((name) => [name, this.variables.get(name) ?? '']),
    );
  }

  async main(source: string): Promise<unknown> {
    try {
      return await this.#main(parseScript(source));
    } catch (error) {
      if (error instanceof Exit) return error.code;
      throw error;
    }
  }

  async #main(tree: Command): Promise<unknown> {
    const { stdin, stdout, stderr } = this.context;
    await this.run(tree, { stdin, stdout, stderr });
    return this.replaced ?? this.status;
  }

  trap(action: string, name: string): void {
    this.traps.set(name, action);
    this.context.onSignal(`SIG${name}`, () => {
      if (action === '') return;
      this.#caught.push(action);
    });
  }

  /** Waits for a child, or for a signal that has a trap. */
  async waitFor(child: ModelProcess): Promise<number> {
    const status = await this.context.wait(child);
    return (status & 0x7f) === 0 ? status >> 8 : 128 + (status & 0x7f);
  }

  async run(command: Command, streams: Streams): Promise<number> {
    await this.#pause(streams);
    this.status = await this.#execute(command, streams);
    return this.status;
  }

  /** What is the last of its process: a program takes that over. */
  async runLast(command: Command, streams: Streams): Promise<void> {
    const [first] = command.kind === 'simple' ? command.words : [];
    const [piece] = first?.pieces ?? [];
    const isProgram = piece?.kind === 'text' && !this.#isOwn(piece.text);
    if (command.kind === 'simple' && isProgram && command.assignments.length === 0) {
      await this.run({ ...command, words: [word('exec'), ...command.words] }, streams);
    } else await this.run(command, streams);
  }

  #isOwn(name: string): boolean {
    return builtins.has(name) || this.functions.has(name);
  }

  // Between two commands: the end of the process, signals, and everybody else's turn. Meanwhile it has computed.
  async #pause(streams: Streams): Promise<void> {
    const took = performance.now() - this.#turnAt;
    if (took > TURN_MS) {
      this.process.compute(Math.min(took, MOST_MS));
      await turn();
      this.#turnAt = performance.now();
    }
    if (this.process.hasEnded) throw new Exit(0);
    for (let action = this.#caught.shift(); action !== undefined; action = this.#caught.shift()) {
      await this.#execute(parseScript(action), streams);
    }
  }

  async #execute(command: Command, streams: Streams): Promise<number> {
    switch (command.kind) {
      case 'simple':
        return this.#simple(command, streams);
      case 'define':
        this.functions.set(command.name, command.body);
        return 0;
      case 'list':
        return this.#list(command.parts, streams);
      case 'and':
        return (await this.run(command.left, streams)) === 0
          ? this.run(command.right, streams)
          : this.status;
      case 'or':
        return (await this.run(command.left, streams)) !== 0 ? this.run(command.right, streams) : 0;
      case 'not':
        return (await this.run(command.command, streams)) === 0 ? 1 : 0;
      case 'while':
      case 'until':
        return this.#loop(command, streams);
      case 'if':
        return this.#choice(command, streams);
      case 'for':
        return this.#each(command, streams);
      case 'group':
        return this.waitFor(await this.#fork(command.body, command.redirections, streams));
      case 'redirected':
        return this.run(command.body, await this.redirect(command.redirections, streams));
      case 'pipe':
        return this.#pipe(command.parts, streams);
    }
  }

  async #list(
    parts: Extract<Command, { kind: 'list' }>['parts'],
    streams: Streams,
  ): Promise<number> {
    let status = 0;
    for (const { command, background } of parts) {
      if (!background) status = await this.run(command, streams);
      else this.background.push(await this.#fork(command, [], { ...streams, stdin: empty() }));
      if (this.replaced !== undefined) break;
    }
    return status;
  }

  async #loop(
    { kind, test, body }: Extract<Command, { kind: 'while' | 'until' }>,
    streams: Streams,
  ): Promise<number> {
    let status = 0;
    while (((await this.run(test, streams)) === 0) === (kind === 'while')) {
      status = await this.run(body, streams);
    }
    return status;
  }

  async #choice(
    { test, then, otherwise }: Extract<Command, { kind: 'if' }>,
    streams: Streams,
  ): Promise<number> {
    if ((await this.run(test, streams)) === 0) return this.run(then, streams);
    return otherwise === null ? 0 : this.run(otherwise, streams);
  }

  async #each(
    { name, words, body }: Extract<Command, { kind: 'for' }>,
    streams: Streams,
  ): Promise<number> {
    let status = 0;
    for (const value of await this.#expandAll(words, streams)) {
      this.variables.set(name, value);
      status = await this.run(body, streams);
    }
    return status;
  }

  async #pipe(parts: readonly Command[], streams: Streams): Promise<number> {
    const children: ModelProcess[] = [];
    let stdin = streams.stdin;
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1;
      const next = new PassThrough();
      const stdout = isLast ? streams.stdout : next;
      const child = await this.#fork(part, [], { ...streams, stdin, stdout });
      child.entry.ended.push(() => setImmediate(() => next.end()));
      children.push(child);
      stdin = next;
    }
    const codes = await Promise.all(children.map((child) => this.waitFor(child)));
    return codes.at(-1) ?? 0;
  }

  // A child that goes on with a part of the script.
  async #fork(
    command: Command,
    redirections: readonly Redirection[],
    streams: Streams,
  ): Promise<ModelProcess> {
    return this.context.fork(async (context) => {
      const child = new Shell(context, this.#parameters, this);
      const own = { stdin: context.stdin, stdout: context.stdout, stderr: context.stderr };
      try {
        const redirected = await child.redirect(redirections, own);
        await child.runLast(command, redirected);
        return child.replaced ?? child.status;
      } catch (error) {
        if (error instanceof Exit) return error.code;
        throw error;
      }
    }, streams);
  }

  async #simple(
    { assignments, words, redirections }: Extract<Command, { kind: 'simple' }>,
    streams: Streams,
  ): Promise<number> {
    const values = new Map<string, string>();
    for (const { name, value } of assignments) values.set(name, await this.#joined(value, streams));
    let redirected: Streams;
    try {
      redirected = await this.redirect(redirections, streams);
    } catch (error) {
      streams.stderr.write(`sh: ${strerror(error)}\n`);
      return 2;
    }
    const [file, ...args] = await this.#expandAll(words, streams);
    if (file === undefined) {
      for (const [name, value] of values) this.variables.set(name, value);
      return 0;
    }
    const body = this.functions.get(file);
    if (body !== undefined) return this.run(body, redirected);
    const builtin = builtins.get(file);
    if (builtin !== undefined) return builtin(this, args, redirected);
    return this.#program(file, args, redirected, { ...this.env, ...Object.fromEntries(values) });
  }

  async #program(
    file: string,
    args: readonly string[],
    streams: Streams,
    env: Record<string, string>,
  ): Promise<number> {
    try {
      const child = this.context.spawn(file, args, { ...streams, env });
      return await this.waitFor(child);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error;
      streams.stderr.write(`sh: ${file}: not found\n`);
      return 127;
    }
  }

  async redirect(redirections: readonly Redirection[], streams: Streams): Promise<Streams> {
    const table = new Map<number, Readable | Writable | null>([
      [0, streams.stdin],
      [1, streams.stdout],
      [2, streams.stderr],
    ]);
    for (const { descriptor, kind, target } of redirections) {
      const text = await this.#joined(target, streams);
      if (kind === 'copy') table.set(descriptor, this.#descriptor(Number(text), table));
      else if (kind === 'read') table.set(descriptor, this.#open(text));
      else table.set(descriptor, this.#create(text, kind === 'append', table));
    }
    return {
      stdin: table.get(0) as Readable,
      stdout: table.get(1) as Writable,
      stderr: table.get(2) as Writable,
    };
  }

  #descriptor(
    number: number,
    table: ReadonlyMap<number, Readable | Writable | null>,
  ): Readable | Writable {
    const found = table.get(number) ?? this.context.stream(number);
    if (found === null) throw new Error('Bad file descriptor');
    return found;
  }

  #open(path: string): Readable {
    const stream = new PassThrough();
    stream.end(this.process.readFile(path));
    return stream;
  }

  #create(
    path: string,
    append: boolean,
    table: ReadonlyMap<number, Readable | Writable | null>,
  ): Writable {
    if (path === '/dev/stdout') return this.#descriptor(1, table) as Writable;
    if (path === '/dev/stderr') return this.#descriptor(2, table) as Writable;
    const write = this.process.openForWriting(path, { append });
    return new Writable({
      write: (chunk, _encoding, done) => {
        try {
          write(chunk);
          done();
        } catch (error) {
          done(error as Error);
        }
      },
    }).on('error', (error) => {
      const stderr = table.get(2) as Writable;
      if (stderr.writable) stderr.write(`sh: write error: ${strerror(error)}\n`);
    });
  }

  async #expandAll(words: readonly Word[], streams: Streams): Promise<string[]> {
    const all: string[] = [];
    for (const word of words) all.push(...(await this.#expand(word, streams)));
    return all;
  }

  async #joined(word: Word, streams: Streams): Promise<string> {
    const texts = await Promise.all(word.pieces.map((piece) => this.#value(piece, streams)));
    return texts.join('');
  }

  // Unquoted values are split at white space; unquoted asterisks stand for names.
  async #expand({ pieces }: Word, streams: Streams): Promise<string[]> {
    if (pieces.some((piece) => piece.kind === 'variable' && piece.name === '@'))
      return [...this.#parameters];
    const fields: string[] = [];
    let field: string | null = null;
    for (const piece of pieces) {
      const value = await this.#value(piece, streams);
      const isSplit = (piece.kind === 'variable' || piece.kind === 'output') && !piece.quoted;
      if (!isSplit) {
        field = (field ?? '') + value;
        continue;
      }
      const [first, ...others] = value.split(/\s+/);
      field = first === '' ? field : (field ?? '') + first;
      for (const other of others) {
        if (field !== null) fields.push(field);
        field = other === '' ? null : other;
      }
    }
    if (field !== null) fields.push(field);
    const globs = pieces.some(
      (piece) => piece.kind === 'text' && !piece.quoted && piece.text.includes('*'),
    );
    return globs ? fields.flatMap((text) => this.#glob(text)) : fields;
  }

  #glob(pattern: string): string[] {
    const slash = pattern.lastIndexOf('/');
    const folder = slash < 0 ? '.' : pattern.slice(0, slash) || '/';
    const expression = new RegExp(
      `^${pattern
        .slice(slash + 1)
        .replace(/[.+]/g, '\\$&')
        .replaceAll('*', '.*')}$`,
    );
    const names = this.process
      .readdir(folder)
      .filter((name) => expression.test(name) && !name.startsWith('.'));
    const found = names.sort().map((name) => pattern.slice(0, slash + 1) + name);
    return found.length > 0 ? found : [pattern];
  }

  async #value(piece: Piece, streams: Streams): Promise<string> {
    if (piece.kind === 'text') return piece.text;
    if (piece.kind === 'variable') return this.#variable(piece.name);
    if (piece.kind === 'sum') return String(this.#sum(piece.text));
    return this.#output(piece.source, streams);
  }

  #variable(name: string): string {
    if (name === '$') return String(this.process.pid);
    if (name === '?') return String(this.status);
    if (name === '!') return String(this.background.at(-1)?.pid ?? '');
    if (name === '#') return String(this.#parameters.length - 1);
    if (/^\d$/.test(name)) return this.#parameters[Number(name)] ?? '';
    return this.variables.get(name) ?? '';
  }

  #sum(text: string): number {
    const [left = '0', operator, right = '0'] = text.split(/\s*([-+*])\s*/);
    const value = (word: string) =>
      Number(/^\d+$/.test(word) ? word : this.variables.get(word.replace('$', '')));
    if (operator === '-') return value(left) - value(right);
    if (operator === '*') return value(left) * value(right);
    return operator === '+' ? value(left) + value(right) : value(left);
  }

  async #output(source: string, streams: Streams): Promise<string> {
    const chunks: Buffer[] = [];
    const stdout = new Writable({
      write: (chunk, _encoding, done) => {
        chunks.push(chunk);
        done();
      },
    });
    await this.waitFor(await this.#fork(parseScript(source), [], { ...streams, stdout }));
    return Buffer.concat(chunks).toString().replace(/\n+$/, '');
  }
}

function word(text: string): Word {
  return { pieces: [{ kind: 'text', text, quoted: true }] };
}

function empty(): Readable {
  return new PassThrough().end();
}
