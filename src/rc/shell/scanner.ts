import { RcError } from '../rc-error.js';

/** A variable, and where it got its value. */
export interface ValueOf {
  readonly name: string;
  readonly line: number;
}

/** Goes through the text of a file as sh(1) does, one character at a time. */
export class Scanner {
  readonly file: string;
  readonly #text: string;
  readonly #value: ValueOf | null;
  #at = 0;
  #line = 1;

  /**
   * @param text what is in the file
   * @param file its name, for errors
   * @param value the text is only the value of a variable in that file
   */
  constructor(text: string, file: string, value: ValueOf | null = null) {
    this.#text = text;
    this.#value = value;
    this.file = file;
  }

  /** The line of the next character, from 1. */
  get line(): number {
    return this.#line;
  }

  /** The next character, lines that go on after a backslash taken for one; empty at the end. */
  peek(): string {
    while (this.#text.startsWith('\\\n', this.#at)) {
      this.#at += 2;
      this.#line += 1;
    }
    return this.rawPeek();
  }

  /** The next character as it stands there; empty at the end. */
  rawPeek(): string {
    return this.#text.charAt(this.#at);
  }

  /** Takes the next character, as {@link peek} shows it. */
  next(): string {
    this.peek();
    return this.rawNext();
  }

  /** Takes the next character as it stands there. */
  rawNext(): string {
    const character = this.rawPeek();
    if (character === '') return '';
    this.#at += 1;
    if (character === '\n') this.#line += 1;
    return character;
  }

  /** Takes what matches from here on. @param pattern a sticky one */
  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    for (const character of found ?? '') if (character === '\n') this.#line += 1;
    this.#at += found?.length ?? 0;
    return found;
  }

  /** Takes characters while they are of a class, and puts them together. */
  takeWhile(belongs: (character: string) => boolean): string {
    let taken = '';
    while (this.peek() !== '' && belongs(this.peek())) taken += this.next();
    return taken;
  }

  /**
   * An error of this file.
   *
   * @param message one sentence
   * @param hint what to do about it
   * @param line where; default: here
   */
  error(message: string, hint?: string, line: number = this.#line): RcError {
    const { file } = this;
    if (this.#value === null) return new RcError(message, { file, line, hint });
    return new RcError(`${this.#value.name}: ${message}`, { file, line: this.#value.line, hint });
  }
}
