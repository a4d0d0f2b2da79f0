// The part of sh(1) that the behaviour suite's scripts are written in, as a tree. What is not understood is an error.

/** A word: pieces that are put together, and split at white space where they are not quoted. */
export interface Word {
  readonly pieces: readonly Piece[];
}

export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | { readonly kind: 'variable'; readonly name: string; readonly quoted: boolean }
  | { readonly kind: 'sum'; readonly text: string }
  | { readonly kind: 'output'; readonly source: string; readonly quoted: boolean };

export interface Redirection {
  /** The descriptor that is changed. */
  readonly descriptor: number;
  readonly kind: 'read' | 'write' | 'append' | 'copy';
  /** A file, or the descriptor to copy. */
  readonly target: Word;
}

export type Command =
  | {
      readonly kind: 'simple';
      readonly assignments: readonly { readonly name: string; readonly value: Word }[];
      readonly words: readonly Word[];
      readonly redirections: readonly Redirection[];
    }
  | {
      /** A group is a process of its own. */
      readonly kind: 'group' | 'redirected';
      readonly body: Command;
      readonly redirections: readonly Redirection[];
    }
  | { readonly kind: 'define'; readonly name: string; readonly body: Command }
  | { readonly kind: 'pipe'; readonly parts: readonly Command[] }
  | {
      readonly kind: 'list';
      readonly parts: readonly { readonly command: Command; readonly background: boolean }[];
    }
  | { readonly kind: 'and' | 'or'; readonly left: Command; readonly right: Command }
  | { readonly kind: 'not'; readonly command: Command }
  | { readonly kind: 'while' | 'until'; readonly test: Command; readonly body: Command }
  | {
      readonly kind: 'if';
      readonly test: Command;
      readonly then: Command;
      readonly otherwise: Command | null;
    }
  | {
      readonly kind: 'for';
      readonly name: string;
      readonly words: readonly Word[];
      readonly body: Command;
    };

type Token =
  | { readonly kind: 'word'; readonly word: Word; readonly bare: string | null }
  | { readonly kind: 'operator'; readonly text: string }
  | { readonly kind: 'redirection'; readonly descriptor: number; readonly text: string };

const OPERATORS = ['&&', '||', ';', '&', '|', '(', ')', '\n'];
const REDIRECTION = /^(\d?)(>&|<&|>>|>|<)/;
const ENDS = ['do', 'done', 'then', 'else', 'elif', 'fi', ')', '}'];

/** The tree of a script. */
export function parseScript(source: string): Command {
  const parser = new Parser(tokens(source));
  const command = parser.list();
  parser.finish();
  return command;
}

function tokens(source: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const rest = source.slice(at);
    const blank = /^([ \t]+|\\\n|#[^\n]*)/.exec(rest);
    if (blank !== null) {
      at += blank[0].length;
      continue;
    }
    const redirection = REDIRECTION.exec(rest);
    if (redirection !== null) {
      const [all, digit = '', text = ''] = redirection;
      const descriptor = digit === '' ? (text.startsWith('<') ? 0 : 1) : Number(digit);
      found.push({ kind: 'redirection', descriptor, text });
      at += all.length;
      continue;
    }
    const operator = OPERATORS.find((text) => rest.startsWith(text));
    if (operator !== undefined) {
      found.push({ kind: 'operator', text: operator === '\n' ? ';' : operator });
      at += operator.length;
      continue;
    }
    const reader = new WordReader(source, at);
    const pieces = reader.read();
    const [only] = pieces;
    const isBare = pieces.length === 1 && only?.kind === 'text' && !only.quoted;
    found.push({ kind: 'word', word: { pieces }, bare: isBare ? only.text : null });
    at = reader.at;
  }
  return found;
}

class WordReader {
  readonly #source: string;
  readonly #pieces: Piece[] = [];
  at: number;

  constructor(source: string, at: number) {
    this.#source = source;
    this.at = at;
  }

  read(): Piece[] {
    while (this.at < this.#source.length) {
      const char = this.#source[this.at] ?? '';
      if (/[\s;&|()<>]/.test(char)) break;
      if (char === "'") this.#text(this.#until("'", 1), true);
      else if (char === '"') this.#doubleQuoted();
      else if (char === '\\') this.#escape();
      else if (char === '$') this.#dollar(false);
      else this.#text(this.#plain(), false);
    }
    return this.#pieces;
  }

  #text(text: string, quoted: boolean): void {
    this.#pieces.push({ kind: 'text', text, quoted });
  }

  #plain(): string {
    const [text = ''] = /^[^\s;&|()<>'"\\$]+/.exec(this.#source.slice(this.at)) ?? [];
    this.at += text.length;
    return text;
  }

  #until(end: string, skip: number): string {
    const stop = this.#source.indexOf(end, this.at + skip);
    if (stop < 0) throw new Error(`sh: no closing ${end}`);
    const text = this.#source.slice(this.at + skip, stop);
    this.at = stop + end.length;
    return text;
  }

  #escape(): void {
    this.#text(this.#source[this.at + 1] ?? '', true);
    this.at += 2;
  }

  #doubleQuoted(): void {
    this.at++;
    this.#text('', true);
    while (this.#source[this.at] !== '"') {
      const char = this.#source[this.at];
      if (char === undefined) throw new Error('sh: no closing "');
      if (char === '$') this.#dollar(true);
      else if (char === '\\' && /[\\"$`]/.test(this.#source[this.at + 1] ?? '')) this.#escape();
      else {
        const [text = char] = /^[^"$\\]+/.exec(this.#source.slice(this.at)) ?? [];
        this.#text(text, true);
        this.at += text.length;
      }
    }
    this.at++;
  }

  #dollar(quoted: boolean): void {
    const rest = this.#source.slice(this.at);
    if (rest.startsWith('$((')) {
      this.#pieces.push({ kind: 'sum', text: this.#until('))', 3) });
      return;
    }
    if (rest.startsWith('$(')) {
      this.#pieces.push({ kind: 'output', source: this.#until(')', 2), quoted });
      return;
    }
    const found = /^\$(?:\{([A-Za-z_]\w*|[$!?@#*\d])\}|([A-Za-z_]\w*|[$!?@#*\d]))/.exec(rest);
    this.at += found?.[0].length ?? 1;
    if (found === null) this.#text('$', true);
    else this.#pieces.push({ kind: 'variable', name: found[1] ?? found[2] ?? '', quoted });
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(all: readonly Token[]) {
    this.#tokens = all;
  }

  finish(): void {
    if (this.#at < this.#tokens.length) throw new Error(`sh: unexpected ${this.#next()}`);
  }

  list(): Command {
    const parts: { command: Command; background: boolean }[] = [];
    for (;;) {
      while (this.#skip(';'));
      if (this.#at >= this.#tokens.length || ENDS.includes(this.#next())) break;
      const command = this.#andOr();
      const background = this.#skip('&');
      parts.push({ command, background });
      if (!background && !this.#skip(';')) break;
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined && !only.background
      ? only.command
      : { kind: 'list', parts };
  }

  #andOr(): Command {
    let left = this.#pipe();
    for (;;) {
      if (this.#skip('&&')) left = { kind: 'and', left, right: this.#pipe() };
      else if (this.#skip('||')) left = { kind: 'or', left, right: this.#pipe() };
      else return left;
    }
  }

  #pipe(): Command {
    if (this.#skip('!')) return { kind: 'not', command: this.#pipe() };
    const parts = [this.#command()];
    while (this.#skip('|')) parts.push(this.#command());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: 'pipe', parts };
  }

  #command(): Command {
    if (this.#skip('(')) return this.#group(')');
    if (this.#skip('{')) return this.#group('}');
    if (this.#skip('while')) return this.#redirected(this.#loop('while'));
    if (this.#skip('until')) return this.#redirected(this.#loop('until'));
    if (this.#skip('if')) return this.#redirected(this.#choice());
    if (this.#skip('for')) return this.#redirected(this.#each());
    return this.#definition() ?? this.#simple();
  }

  // NAME() COMMAND
  #definition(): Command | null {
    const [open, close] = [1, 2].map((offset) => this.#tokens[this.#at + offset]);
    const isEmptyPair =
      open?.kind === 'operator' &&
      open.text === '(' &&
      close?.kind === 'operator' &&
      close.text === ')';
    if (this.#tokens[this.#at]?.kind !== 'word' || !isEmptyPair) return null;
    const name = this.#next();
    this.#at += 3;
    return { kind: 'define', name, body: this.#command() };
  }

  #group(end: string): Command {
    const body = this.list();
    this.#expect(end);
    if (end === '}') return this.#redirected(body);
    return { kind: 'group', body, redirections: this.#redirections() };
  }

  #redirected(body: Command): Command {
    const redirections = this.#redirections();
    return redirections.length === 0 ? body : { kind: 'redirected', body, redirections };
  }

  #loop(kind: 'while' | 'until'): Command {
    const test = this.list();
    return { kind, test, body: this.#body() };
  }

  #each(): Command {
    const name = this.#next();
    this.#at++;
    this.#expect('in');
    const words = this.#words();
    this.#skip(';');
    return { kind: 'for', name, words, body: this.#body() };
  }

  #body(): Command {
    this.#expect('do');
    const body = this.list();
    this.#expect('done');
    return body;
  }

  #choice(): Command {
    const test = this.list();
    this.#expect('then');
    const then = this.list();
    let otherwise: Command | null = null;
    if (this.#skip('elif')) return { kind: 'if', test, then, otherwise: this.#choice() };
    if (this.#skip('else')) otherwise = this.list();
    this.#expect('fi');
    return { kind: 'if', test, then, otherwise };
  }

  #simple(): Command {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      redirections.push(...this.#redirections());
      const token = this.#tokens[this.#at];
      if (token?.kind !== 'word') break;
      this.#at++;
      const assignment = words.length === 0 ? assignmentOf(token.word) : null;
      if (assignment === null) words.push(token.word);
      else assignments.push(assignment);
    }
    if (assignments.length + words.length + redirections.length === 0) {
      throw new Error(`sh: unexpected ${this.#next() || 'end'}`);
    }
    return { kind: 'simple', assignments, words, redirections };
  }

  #redirections(): Redirection[] {
    const found: Redirection[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token?.kind !== 'redirection') return found;
      const target = this.#tokens[this.#at + 1];
      if (target?.kind !== 'word') throw new Error('sh: a redirection leads nowhere');
      const kinds = {
        '>': 'write',
        '>>': 'append',
        '<': 'read',
        '>&': 'copy',
        '<&': 'copy',
      } as const;
      const kind = kinds[token.text as keyof typeof kinds];
      found.push({ descriptor: token.descriptor, kind, target: target.word });
      this.#at += 2;
    }
  }

  #words(): Word[] {
    const words: Word[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token?.kind !== 'word') return words;
      words.push(token.word);
      this.#at++;
    }
  }

  // What comes next, as far as it can be a reserved word or an operator.
  #next(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) return '';
    return token.kind === 'word' ? (token.bare ?? '') : token.text;
  }

  #skip(text: string): boolean {
    if (this.#next() !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    while (text !== ';' && text !== 'in' && this.#skip(';'));
    if (!this.#skip(text)) throw new Error(`sh: ${this.#next() || 'end'} instead of ${text}`);
  }
}

function assignmentOf({ pieces }: Word): { name: string; value: Word } | null {
  const [first, ...others] = pieces;
  if (first?.kind !== 'text' || first.quoted) return null;
  const found = /^([A-Za-z_]\w*)=(.*)$/s.exec(first.text);
  if (found === null) return null;
  const [, name = '', text = ''] = found;
  return { name, value: { pieces: [{ kind: 'text', text, quoted: true }, ...others] } };
}
