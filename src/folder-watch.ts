import { existsSync, type FSWatcher, watch } from 'node:fs';
import { dirname, join } from 'node:path';

/** What is told of a folder whose folders come, are filled and go. */
export interface FolderEvents {
  /** One came, or is gone. */
  changed(): void;
  /** Something may have come into one that is not known yet. */
  filled(): void;
}

/**
 * Watches a folder, and each folder that comes into it until it is known: what lives for a moment only would be gone
 * before anybody looks. As long as it is missing, the nearest one above it is watched instead. Holds no program alive.
 * Where it cannot watch (no inotify instances or watches left) it tells nothing.
 *
 * @see inotify(7)
 */
export class FolderWatch {
  readonly #path: string;
  readonly #events: FolderEvents;
  /** Of the folder, or of the one above it that is there. */
  #watcher: FSWatcher | null = null;
  readonly #unknown = new Map<string, FSWatcher>();

  constructor(path: string, events: FolderEvents) {
    this.#path = path;
    this.#events = events;
    this.#begin();
  }

  /** @param isKnown tells of a folder by its name: it need not be watched any more */
  forget(isKnown: (name: string) => boolean): void {
    for (const name of this.#unknown.keys()) if (isKnown(name)) this.#leave(name);
  }

  /** Ends it. */
  close(): void {
    this.#watcher?.close();
    this.forget(() => true);
  }

  #begin(): void {
    this.#watcher = watchQuietly(this.#path, (name) => this.#change(name));
    if (this.#watcher !== null || existsSync(this.#path)) return;
    const above = nearestAbove(this.#path);
    this.#watcher = watchQuietly(above, () => this.#beginAgain());
    // It may have come before that was watched.
    if (nearestAbove(this.#path) !== above || existsSync(this.#path)) this.#beginAgain();
  }

  #beginAgain(): void {
    this.#watcher?.close();
    this.#begin();
    this.#events.changed();
  }

  #change(name: string | null): void {
    this.#events.changed();
    if (name === null) return;
    if (this.#unknown.has(name)) this.#leave(name);
    else this.#follow(name);
  }

  #follow(name: string): void {
    const filled = () => this.#events.filled();
    const watcher = watchQuietly(join(this.#path, name), filled);
    if (watcher === null) return; // it is gone
    this.#unknown.set(name, watcher);
    filled(); // perhaps before it was watched
  }

  #leave(name: string): void {
    this.#unknown.get(name)?.close();
    this.#unknown.delete(name);
  }
}

function nearestAbove(path: string): string {
  const above = dirname(path);
  return existsSync(above) || above === path ? above : nearestAbove(above);
}

function watchQuietly(path: string, changed: (name: string | null) => void): FSWatcher | null {
  try {
    const watcher = watch(path, { persistent: false }, (_, name) => changed(name));
    return watcher.on('error', () => watcher.close());
  } catch {
    return null;
  }
}
