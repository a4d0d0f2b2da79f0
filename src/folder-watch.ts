import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';

/** What is told of a folder whose folders come, are filled and go. */
export interface FolderEvents {
  /** One came, or is gone. */
  changed(): void;
  /** Something may have come into one that is not known yet. */
  filled(): void;
}

/**
 * Watches a folder, and each folder that comes into it until it is known: what lives for a moment only would be gone
 * before anybody looks. Holds no program alive. Where it cannot watch (no such folder, no inotify instances or watches
 * left) it tells nothing.
 *
 * @see inotify(7)
 */
export class FolderWatch {
  readonly #path: string;
  readonly #events: FolderEvents;
  readonly #folder: FSWatcher | null;
  readonly #unknown = new Map<string, FSWatcher>();

  constructor(path: string, events: FolderEvents) {
    this.#path = path;
    this.#events = events;
    this.#folder = watchQuietly(path, (name) => this.#change(name));
  }

  /** @param isKnown tells of a folder by its name: it need not be watched any more */
  forget(isKnown: (name: string) => boolean): void {
    for (const name of this.#unknown.keys()) if (isKnown(name)) this.#leave(name);
  }

  /** Ends it. */
  close(): void {
    this.#folder?.close();
    this.forget(() => true);
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

function watchQuietly(path: string, changed: (name: string | null) => void): FSWatcher | null {
  try {
    const watcher = watch(path, { persistent: false }, (_, name) => changed(name));
    return watcher.on('error', () => watcher.close());
  } catch {
    return null;
  }
}
