import { RcError } from './rc-error.js';

/** A line of fstab(5). */
export interface FstabEntry {
  /** What is mounted: a directory for null, a word for the others. */
  readonly source: string;
  /** Where, as the host sees it. */
  readonly target: string;
  /** The third field: `null`, `tmpfs`, `procfs`, … */
  readonly type: string;
  /** The words of the fourth field: `rw`, `noexec`, `size=64m`. */
  readonly options: readonly string[];
  /** The file that it stands in. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/**
 * Reads fstab(5): fields that blanks divide, `\040` for a blank in one of them, comments on lines of their own.
 *
 * @param text what is in the file
 * @param file its name, for errors
 * @returns the entries in their order, those with `noauto` too
 * @throws RcError `ERR_JAIL_RC`: a line has not enough fields, or a NUL
 * @see fstab(5)
 * @example
 * parseFstab('/usr/ports /jails/www/usr/ports null ro 0 0\n');
 * // [{ source: '/usr/ports', target: '/jails/www/usr/ports', type: 'null', options: ['ro'], … }]
 */
export function parseFstab(text: string, file = 'fstab'): readonly FstabEntry[] {
  return text.split('\n').flatMap((content, index) => {
    const fields = content.split(/[ \t\r]+/).filter((field) => field !== '');
    const [first = '#'] = fields;
    return first.startsWith('#') ? [] : [readEntry(fields, file, index + 1)];
  });
}

function readEntry(fields: readonly string[], file: string, line: number): FstabEntry {
  const [source, target, type, options = 'rw'] = fields.map(unescaped);
  if (source === undefined || target === undefined || type === undefined) {
    const hint = 'such as: /usr/ports /jails/www/usr/ports null ro 0 0';
    throw new RcError('A line of fstab needs a source, a mount point and a type', {
      file,
      line,
      hint,
    });
  }
  if (fields.some((field) => unescaped(field).includes('\0'))) {
    throw new RcError('There is a NUL in this line', { file, line });
  }
  const words = options.split(',').filter((word) => word !== '');
  return { source, target, type, options: words, file, line };
}

// By bytes: a letter of UTF-8 may be written as several.
function unescaped(field: string): string {
  const bytes = Buffer.from(field).toString('latin1');
  const plain = bytes.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
  return Buffer.from(plain, 'latin1').toString();
}
