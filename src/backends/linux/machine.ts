import { accessSync, constants, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { loadNative } from '../../native.js';

/** What is looked at of this machine to tell what it can do. Nothing is changed. */
export interface Machine {
  /** As uname(2) has it. */
  readonly release: string;
  /** The effective user. */
  readonly uid: number;
  /** The content of a small file; null when it cannot be read. */
  read(path: string): string | null;
  exists(path: string): boolean;
  writable(path: string): boolean;
  /** Tried in a network of its own, as root only. */
  canFilterSources(): boolean;
  /** Why the addon cannot be loaded; null: it can. */
  nativeProblem(): string | null;
}

/** The machine that this program runs on. */
export function thisMachine(): Machine {
  return {
    release: release(),
    uid: process.geteuid?.() ?? 0,
    read,
    exists: (path) => isAccessible(path, constants.F_OK),
    writable: (path) => isAccessible(path, constants.W_OK),
    canFilterSources: () => loadNative().native.canFilterSources(),
    nativeProblem,
  };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function nativeProblem(): string | null {
  try {
    loadNative();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
