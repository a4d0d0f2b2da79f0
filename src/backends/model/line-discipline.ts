/** What a terminal does with what was typed. */
export interface TerminalActions {
  /** Shows it. */
  echo(bytes: Buffer): void;
  /** It can be read. */
  deliver(bytes: Buffer): void;
  /** The end-of-file key at the start of a line. */
  end(): void;
  /** A key that is a signal, by its name. */
  signal(name: string): void;
}

const SIGNALS: Readonly<Record<number, string>> = { 3: 'SIGINT', 26: 'SIGTSTP', 28: 'SIGQUIT' };
const END_OF_FILE = 4;
const BACKSPACE = 8;
const NEWLINE = 10;
const RETURN = 13;
const KILL_LINE = 21;
const DELETE = 127;
const FIRST_PRINTABLE = 32;
const CARET_OFFSET = 64;

/** The line discipline of termios(4) for input, as a terminal starts with it: lines, echo, and keys that are signals. */
export class LineDiscipline {
  readonly #actions: TerminalActions;
  #line: number[] = [];
  /** Nothing is done to what is typed: what cfmakeraw(3) sets. */
  raw = false;

  constructor(actions: TerminalActions) {
    this.#actions = actions;
  }

  /** Something was typed. */
  type(bytes: Buffer): void {
    if (this.raw) this.#actions.deliver(bytes);
    else for (const byte of bytes) this.#key(byte === RETURN ? NEWLINE : byte);
  }

  #key(byte: number): void {
    const signal = SIGNALS[byte];
    if (signal !== undefined) {
      this.#line = [];
      this.#echo(byte);
      this.#actions.signal(signal);
    } else if (byte === END_OF_FILE) this.#endOfFile();
    else if (byte === DELETE || byte === BACKSPACE) this.#erase(1);
    else if (byte === KILL_LINE) this.#erase(this.#line.length);
    else this.#put(byte);
  }

  #put(byte: number): void {
    this.#line.push(byte);
    this.#echo(byte);
    if (byte === NEWLINE) this.#flush();
  }

  // In the middle of a line it only delivers that.
  #endOfFile(): void {
    if (this.#line.length > 0) this.#flush();
    else this.#actions.end();
  }

  #erase(count: number): void {
    const erased = this.#line.splice(Math.max(0, this.#line.length - count)).length;
    if (erased > 0) this.#actions.echo(Buffer.from('\b \b'.repeat(erased)));
  }

  #flush(): void {
    this.#actions.deliver(Buffer.from(this.#line));
    this.#line = [];
  }

  #echo(byte: number): void {
    if (byte === NEWLINE || byte >= FIRST_PRINTABLE) {
      this.#actions.echo(Buffer.from([byte]));
    } else this.#actions.echo(Buffer.from(`^${String.fromCharCode(byte + CARET_OFFSET)}`));
  }
}
