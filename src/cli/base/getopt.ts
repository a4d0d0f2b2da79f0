/** One option of a command line: its letter, and its argument if it takes one. */
export interface GivenOption {
  readonly letter: string;
  readonly value: string;
}

/** A command line as getopt(3) of the base system takes it apart. */
export interface GivenOptions {
  readonly options: readonly GivenOption[];
  /** From the first argument that is no option. */
  readonly operands: readonly string[];
  /** What is wrong with the options; null: nothing. Those after it were not looked at. */
  readonly complaint: string | null;
}

/**
 * Takes options apart as getopt(3) of DragonFly does: letters together, arguments joined or apart, nothing after the
 * first operand or `--`. No long options, no permutation.
 *
 * @param argv what follows the program's name
 * @param letters as getopt has them: `ilu:U:`
 * @see getopt(3), lib/libc/stdlib/getopt.c
 * @example readOptions(['-iu', 'www', '/jails/www'], 'iu:').operands // ['/jails/www']
 */
export function readOptions(argv: readonly string[], letters: string): GivenOptions {
  const options: GivenOption[] = [];
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (!word.startsWith('-') || word === '-') break;
    if (word === '--') return { options, operands: argv.slice(at + 1), complaint: null };
    const group = readGroup(word.slice(1), argv[at + 1], letters);
    options.push(...group.options);
    if (group.complaint !== null) return { ...group, options, operands: [] };
    if (group.tookNext) at++;
  }
  return { options, operands: argv.slice(at), complaint: null };
}

interface Group {
  readonly options: readonly GivenOption[];
  readonly tookNext: boolean;
  readonly complaint: string | null;
}

function readGroup(group: string, next: string | undefined, letters: string): Group {
  const options: GivenOption[] = [];
  const end = (complaint: string | null, tookNext = false) => ({ options, tookNext, complaint });
  for (const [index, letter] of [...group].entries()) {
    const known = letter === ':' ? -1 : letters.indexOf(letter);
    if (known < 0) return end(`illegal option -- ${letter}`);
    if (letters[known + 1] !== ':') {
      options.push({ letter, value: '' });
      continue;
    }
    const joined = [...group].slice(index + 1).join('');
    const value = joined === '' ? next : joined;
    if (value === undefined) return end(`option requires an argument -- ${letter}`);
    options.push({ letter, value });
    return end(null, joined === '');
  }
  return end(null);
}
