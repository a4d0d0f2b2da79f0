import { dirname, join } from 'node:path';
import type { Tree } from '../tree.js';

const MAX_INCLUDES = 256;

/**
 * The directories of ld.so.conf(5): one or several in a line, comments, and `include` with patterns.
 *
 * @param tree the system whose file it is
 * @param path the file
 * @returns absolute paths, in their order, each once; none where there is no such file
 */
export function ldSoConfDirectories(tree: Tree, path = '/etc/ld.so.conf'): string[] {
  const directories = new Set<string>();
  const seen = new Set<string>();
  const read = (file: string) => {
    if (seen.has(file) || seen.size >= MAX_INCLUDES) return;
    seen.add(file);
    for (const line of (tree.text(file) ?? '').split('\n')) {
      const words = line
        .replace(/#.*/, '')
        .split(/[\s:,]+/)
        .filter(Boolean);
      if (words[0] === 'include') {
        for (const pattern of words.slice(1)) included(tree, file, pattern).forEach(read);
      } else if (words[0] !== 'hwcap') {
        // "/usr/lib=libc5" says of which kind its libraries are.
        for (const word of words) addIfAbsolute(directories, word.replace(/=.*/, ''));
      }
    }
  };
  read(path);
  return [...directories];
}

function addIfAbsolute(directories: Set<string>, path: string): void {
  if (path.startsWith('/')) directories.add(path);
}

/** The files that a pattern stands for, relative to the file that has it. */
function included(tree: Tree, file: string, pattern: string): string[] {
  const whole = pattern.startsWith('/') ? pattern : join(dirname(file), pattern);
  const [folder, name] = [dirname(whole), whole.slice(whole.lastIndexOf('/') + 1)];
  const matches = wildcard(name);
  return tree
    .names(folder)
    .filter((one) => matches.test(one))
    .map((one) => join(folder, one));
}

// Only * and ?: what the systems' own files have, and always in the last part of the path.
function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const hidden = pattern.startsWith('.') ? '' : '(?!\\.)';
  return new RegExp(`^${hidden}${escaped.replace(/\*+/g, '[^/]*').replace(/\?/g, '[^/]')}$`, 'u');
}
