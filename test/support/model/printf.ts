const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, '\\': 92, '0': 0 };

/** printf(1), with %s, %d and %%, and the escapes of its format. */
export function format([template = '', ...args]: readonly string[]): Buffer {
  const left = [...args];
  const parts: Buffer[] = [];
  do parts.push(once(template, left));
  while (left.length > 0 && /%[sd]/.test(template));
  return Buffer.concat(parts);
}

function once(template: string, args: string[]): Buffer {
  const parts = template.match(/\\[0-7]{1,3}|\\.|%.|[^\\%]+/gs) ?? [];
  return Buffer.concat(parts.map((part) => piece(part, args)));
}

function piece(part: string, args: string[]): Buffer {
  if (part === '%s' || part === '%d') return Buffer.from(args.shift() ?? '');
  if (part === '%%') return Buffer.from('%');
  const octal = /^\\([0-7]{1,3})$/.exec(part)?.[1];
  if (octal !== undefined) return Buffer.from([Number.parseInt(octal, 8)]);
  const escaped = part.startsWith('\\') ? ESCAPES[part[1] ?? ''] : undefined;
  return escaped === undefined ? Buffer.from(part) : Buffer.from([escaped]);
}
