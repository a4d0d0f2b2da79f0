import type { ModelProcess } from './model-process.js';

/** Something that was done, and how to take it back. */
export interface Undo {
  /** In words: what will have been undone. */
  readonly what: string;
  /** @param by the monitor that takes it back */
  readonly undo: (by: ModelProcess) => void;
}

/** What could not be taken back. */
export interface UndoFailure {
  readonly what: string;
  readonly error: Error;
}

/** What has been done, to be taken back in reverse. What cannot be taken back now stays, for the next attempt. */
export class UndoList {
  #done: Undo[] = [];

  get isEmpty(): boolean {
    return this.#done.length === 0;
  }

  add(what: string, undo: Undo['undo']): void {
    this.#done.push({ what, undo });
  }

  /** Takes back whatever can be, the last first. */
  run(by: ModelProcess): { undone: string[]; failed: UndoFailure[] } {
    const undone: string[] = [];
    const failed: UndoFailure[] = [];
    const left: Undo[] = [];
    for (const item of this.#done.reverse()) {
      try {
        item.undo(by);
        undone.push(item.what);
      } catch (error) {
        left.unshift(item);
        failed.push({
          what: item.what,
          error: error instanceof Error ? error : new Error(String(error)),
        });
      }
    }
    this.#done = left;
    return { undone, failed };
  }
}
