import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project. */
export const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** How a block is to be run: by default on this machine, in a world of its own. */
export interface Directive {
  readonly where: 'here' | 'model' | 'nowhere';
  /** Of a block that is run nowhere. */
  readonly reason: string;
  /** In the world of the block before, after it. */
  readonly goesOn: boolean;
  /** A program that does not end by itself: which signal ends it, and what it has written by then. */
  readonly ended: { readonly signal: NodeJS.Signals; readonly after: string } | null;
  /** What the machine must have for it. */
  readonly needs: string | null;
  /** What it writes, among other things. */
  readonly prints: readonly string[];
}

/** A block of code in a document. */
export interface Block {
  readonly document: string;
  /** Of its first line of code. */
  readonly line: number;
  /** As it is written behind the fence; empty: no code, but a usage or a picture of bytes. */
  readonly language: string;
  readonly code: string;
  readonly directive: Directive;
}

/** The documents of the project: its own folder's, and those of `docs`. */
export function documents(): string[] {
  const names = [...readdirSync(root), ...readdirSync(join(root, 'docs')).map((n) => `docs/${n}`)];
  return names.filter((name) => name.endsWith('.md'));
}

/** The text of a file of the project. */
export function read(document: string): string {
  return readFileSync(join(root, document), 'utf8');
}

/**
 * The blocks of a document, in order. What is said of one stands in a comment before it, its parts divided by `;`:
 *
 * - `run: model`: on the model of the DragonFly kernel; `run: nowhere, because …`; else on this machine
 * - `needs FILE`: run where that is
 * - `goes on`: in the world of the block before
 * - `SIGTERM after TEXT`: it is ended so
 * - `prints TEXT`
 */
export function blocksOf(document: string): Block[] {
  const text = read(document);
  const fence =
    /(?:^<!-- run: (?<said>[^\n]*) -->\n\n?)?^```(?<language>[\w.]*)\n(?<code>.*?)^```$/gms;
  return [...text.matchAll(fence)].map((match) => {
    const { said = '', language = '', code = '' } = match.groups ?? {};
    const before = match[0].indexOf('```');
    const line = text.slice(0, match.index + before).split('\n').length + 1;
    return { document, line, language, code, directive: directiveOf(said, `${document}:${line}`) };
  });
}

function directiveOf(said: string, at: string): Directive {
  const directive: { -readonly [Key in keyof Directive]: Directive[Key] } = {
    where: 'here',
    reason: '',
    goesOn: false,
    ended: null,
    needs: null,
    prints: [],
  };
  for (const part of said.split(';').map((text) => text.trim())) {
    const [, reason] = /^nowhere, because (.{10,})$/.exec(part) ?? [];
    const [, signal, after] = /^(SIG[A-Z]+) after (.+)$/.exec(part) ?? [];
    const [, needs] = /^needs (\/\S+)$/.exec(part) ?? [];
    const [, prints] = /^prints (.+)$/.exec(part) ?? [];
    if (reason !== undefined) Object.assign(directive, { where: 'nowhere', reason });
    else if (part === 'model') directive.where = 'model';
    else if (part === 'goes on') directive.goesOn = true;
    else if (signal !== undefined) Object.assign(directive, { ended: { signal, after } });
    else if (needs !== undefined) directive.needs = needs;
    else if (prints !== undefined) directive.prints = [...directive.prints, prints];
    else if (part !== '' && part !== 'here') throw new Error(`${at}: what is "${part}"?`);
  }
  return directive;
}

/** A whole program says what it needs; everything else is a piece of one. */
export function isProgram({ code }: Block): boolean {
  return code.startsWith('import ');
}

/** Where a block stands, for people. */
export function placeOf({ document, line }: Block): string {
  return `${document}:${line}`;
}
