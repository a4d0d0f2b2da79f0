/** What an earlier build made, by path. */
export type Manifest = ReadonlyMap<string, 'file' | 'folder' | 'link'>;

/** The file that says which kind of root a directory is. */
export const MARKER = '.dragonfly-jail';
/** No root is as large: a hundred bytes a file. */
export const MAX_MARKER = 256 << 20;

const TITLE = 'service root, version 1';
const LETTERS = { file: 'f', folder: 'd', link: 'l' } as const;
const KINDS: Readonly<Record<string, 'file' | 'folder' | 'link'>> = {
  f: 'file',
  d: 'folder',
  l: 'link',
};
const MAX_ENTRIES = 1 << 20;

/** Is this the marker of a service root? */
export function isServiceMarker(text: string): boolean {
  return text === TITLE || text.startsWith(`${TITLE}\n`);
}

/** The text of a service root's marker. */
export function formatManifest(entries: Manifest): string {
  const lines = [...entries].map(([path, kind]) => `${LETTERS[kind]} ${JSON.stringify(path)}\n`);
  return `${TITLE}\n${lines.join('')}`;
}

/**
 * Reads the marker of a service root. The jail's root may have written it: what is no plain path is passed over,
 * and whoever uses it must follow no link.
 */
export function parseManifest(text: string): Manifest {
  const entries = new Map<string, 'file' | 'folder' | 'link'>();
  for (const line of text.split('\n').slice(1, MAX_ENTRIES)) {
    const kind = KINDS[line.slice(0, 1)];
    const path = parsePath(line.slice(2));
    if (kind !== undefined && path !== null) entries.set(path, kind);
  }
  return entries;
}

function parsePath(text: string): string | null {
  try {
    const path: unknown = JSON.parse(text);
    return typeof path === 'string' && isPlain(path) ? path : null;
  } catch {
    return null;
  }
}

function isPlain(path: string): boolean {
  const names = path.split('/').slice(1);
  return (
    path.startsWith('/') &&
    !path.includes('\0') &&
    names.every((name) => name !== '' && name !== '.' && name !== '..')
  );
}
