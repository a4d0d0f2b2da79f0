import { RcError } from './rc-error.js';
import type { Place, RcWarning, Variables } from './shell/variables.js';

const YES = /^(yes|true|on|1)$/i;
const NO = /^(no|false|off|0)$/i;

/** A value and the variable that has it. */
export interface Setting extends Place {
  readonly variable: string;
  readonly value: string;
}

/** The settings of one jail: `jail_<name>_X`, and `jail_X` in its place for those that have one for all jails. */
export class JailSettings {
  readonly name: string;
  readonly #variables: Variables;

  /**
   * @param variables of all files
   * @param name the jail
   */
  constructor(variables: Variables, name: string) {
    this.#variables = variables;
    this.name = name;
  }

  /** The value of `jail_<name>_X`; null when it is unset or empty, which is the same to rc.d/jail. */
  own(what: string): Setting | null {
    return setting(this.#variables, `jail_${this.name}_${what}`);
  }

  /** The same, and `jail_X` when it is null. */
  shared(what: string): Setting | null {
    return this.own(what) ?? setting(this.#variables, `jail_${what}`);
  }

  /** A shared one that is on or off; off when it is unset. */
  isOn(what: string): boolean {
    const found = this.shared(what);
    return found !== null && isYes(found, this.#variables.warnings);
  }

  /**
   * One without which there is no jail.
   *
   * @param what its name
   * @param meaning what it is, with its article
   * @param jailList where the jail is named
   * @throws RcError
   */
  required(what: string, meaning: string, jailList: Place): Setting {
    const found = this.own(what);
    if (found !== null) return found;
    const variable = `jail_${this.name}_${what}`;
    const hint = `add ${variable}="…", or take ${this.name} out of jail_list`;
    const { file, line } = this.#variables.place(variable) ?? jailList;
    throw new RcError(`Jail ${this.name} has no ${meaning}: ${variable} is not set`, {
      file,
      line,
      hint,
    });
  }
}

/** A variable with its place; null when it is unset or empty. */
export function setting(variables: Variables, variable: string): Setting | null {
  const value = variables.get(variable);
  const place = variables.place(variable);
  return value && place !== undefined ? { variable, value, ...place } : null;
}

/**
 * Is it yes, as `checkyesno` of rc.subr(8) has it? What is neither yes nor no is no, with a warning.
 *
 * @param found the setting
 * @param warnings where the warning goes
 */
export function isYes({ variable, value, file, line }: Setting, warnings: RcWarning[]): boolean {
  if (YES.test(value)) return true;
  if (!NO.test(value)) {
    const message = `${variable} is neither YES nor NO but ${JSON.stringify(value)}: taken as NO`;
    warnings.push({ file, line, message, hint: 'write YES or NO' });
  }
  return false;
}

/**
 * The error of a setting that cannot be used.
 *
 * @param setting which
 * @param message what is wrong with it
 * @param hint what to do about it
 */
export function badSetting(
  { variable, file, line }: Setting,
  message: string,
  hint?: string,
  cause?: unknown,
): RcError {
  return new RcError(`${variable}: ${message}`, { file, line, hint, cause });
}

/** Has the checks of the rest of the package look at a setting; what they throw becomes an error of its place. */
export function checked<T>(found: Setting, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof RcError) throw error;
    const hint: unknown = Reflect.get(error, 'hint');
    throw badSetting(found, error.message, typeof hint === 'string' ? hint : undefined, error);
  }
}

/** The words of a value, which blanks, line ends or commas divide. */
export function listOf(value: string, divider = /[\s,]+/): readonly string[] {
  return value.split(divider).filter((word) => word !== '');
}
