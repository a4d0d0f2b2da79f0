import type { RcError } from '../rc-error.js';
import type { Assignment, Part, VariablePart } from './parts.js';
import { type Command, readCommands } from './read-commands.js';
import { Scanner } from './scanner.js';

/** Where a variable got its value. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Text that was doubtful, though sh(1) takes it. */
export interface RcWarning extends Place {
  /** One sentence. */
  readonly message: string;
  /** What to do about it, where that is known. */
  readonly hint?: string;
}

/** More than any configuration has: `a="$a$a"` doubles with each line. */
const MAX_VALUE = 1024 * 1024;

/** What shells set themselves: its value is not known here. */
const OF_THE_SHELL =
  /^(_|BASH.*|DIRSTACK|EPOCH.*|EUID|FUNCNAME|GROUPS|HISTCMD|LINENO|OPTIND|PPID|RANDOM|SECONDS|SHELLOPTS|SRANDOM|UID)$/;
const OF_THE_ENVIRONMENT =
  /^(ENV|HOME|HOST.*|IFS|LANG|LC_.*|LOGNAME|MACHTYPE|MAIL.*|OLDPWD|OPT.*|OSTYPE|PATH|PS[0-4]|PWD|SHELL|SHLVL|TERM|TMPDIR|TZ|USER)$/;

/** The variables of one or several files, as sh(1) has them after it has read the files. */
export class Variables {
  readonly #values = new Map<string, string>();
  readonly #places = new Map<string, Place>();
  readonly warnings: RcWarning[] = [];

  /** Name and value of everything that was assigned, in the order of the first assignment. */
  get values(): ReadonlyMap<string, string> {
    return this.#values;
  }

  /** The value; undefined: nothing was assigned. */
  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Where the value was assigned. */
  place(name: string): Place | undefined {
    return this.#places.get(name);
  }

  /**
   * Reads another file; its assignments come after all earlier ones.
   *
   * @param text what is in it
   * @param file its name, for errors
   * @throws RcError
   */
  read(text: string, file: string): void {
    const scanner = new Scanner(text, file);
    const nul = text.indexOf('\0');
    if (nul >= 0) {
      const line = text.slice(0, nul).split('\n').length;
      throw scanner.error('There is a NUL, which sh(1) cannot read', undefined, line);
    }
    for (const command of readCommands(scanner)) this.#execute(command, scanner);
  }

  #execute(command: Command, scanner: Scanner): void {
    const assigned = new Set<string>();
    for (const assignment of command) {
      this.#assign(assignment, assigned, scanner);
      assigned.add(assignment.name);
    }
  }

  #assign({ name, parts, line }: Assignment, before: ReadonlySet<string>, scanner: Scanner): void {
    if (OF_THE_SHELL.test(name)) {
      throw scanner.error(`${name} is a variable of the shell’s own`, 'take another name', line);
    }
    const value = this.#expand(parts, before, scanner);
    if (value.includes('\r')) {
      const hint = 'the file may have been written on another system: take the \\r out of it';
      const message = `The value of ${name} has a carriage return`;
      this.warnings.push({ file: scanner.file, line, message, hint });
    }
    this.#values.set(name, value);
    this.#places.set(name, { file: scanner.file, line });
  }

  #expand(parts: readonly Part[], before: ReadonlySet<string>, scanner: Scanner): string {
    let value = '';
    for (const part of parts) {
      value += part.kind === 'text' ? part.text : this.#lookUp(part, before, scanner);
      if (value.length > MAX_VALUE) throw scanner.error('This value is too long to be meant');
    }
    return value;
  }

  #lookUp(part: VariablePart, before: ReadonlySet<string>, scanner: Scanner): string {
    const { name, fallback, orEmpty, line } = part;
    if (before.has(name)) throw onOneLine(scanner, name, line);
    const value = this.#values.get(name);
    if (value === undefined) this.#refuseUnknown(part, scanner);
    const missing = value === undefined || (orEmpty && value === '');
    return missing && fallback !== null ? this.#expand(fallback, before, scanner) : (value ?? '');
  }

  #refuseUnknown({ name, fallback, line }: VariablePart, scanner: Scanner): void {
    if (OF_THE_SHELL.test(name) || OF_THE_ENVIRONMENT.test(name)) {
      const message = `$${name} is known to a running shell only`;
      throw scanner.error(message, 'write the value itself', line);
    }
    if (fallback !== null) return;
    const message = `$${name} has no value here: it is taken as empty, as sh(1) takes it`;
    this.warnings.push({ file: scanner.file, line, message });
  }
}

function onOneLine(scanner: Scanner, name: string, line: number): RcError {
  const message = `$${name} is assigned in the same command: shells do not agree on what it is`;
  return scanner.error(message, 'write the assignments on lines of their own', line);
}
