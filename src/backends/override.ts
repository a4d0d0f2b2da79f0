import type { Backend } from './backend.js';

let current: Backend | null = null;

/** The backend that stands in for this machine's own, for tests; null: none. */
export function overridingBackend(): Backend | null {
  return current;
}

/**
 * Puts a backend in the place of this machine's own.
 *
 * @returns puts back what was there before
 */
export function overrideBackend(backend: Backend): () => void {
  const before = current;
  current = backend;
  return () => {
    if (current === backend) current = before;
  };
}
