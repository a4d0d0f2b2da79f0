import { overrideBackend } from '../override.js';
import { ModelBackend } from './backend.js';
import type { ModelKernel } from './kernel.js';

/** Puts this machine's own kernel back: call it, or leave the scope of `using`. */
export interface ModelInUse extends Disposable {
  /** Puts it back; a second call does nothing more. */
  (): void;
}

/**
 * From now on everything of the package happens on a model kernel: `Jail`, `listJails()`, `listProcesses()`, `probe()`,
 * … Jails that exist already stay where they are.
 *
 * @param kernel the model
 * @returns puts back what was there before
 * @example
 * describe('my supervisor', () => {
 *   let restore: () => void;
 *   beforeEach(() => {
 *     const kernel = new ModelKernel();
 *     kernel.directory('/jails/www');
 *     kernel.programs.add('/usr/sbin/nginx', ({ forever }) => forever());
 *     restore = useModelKernel(kernel);
 *   });
 *   afterEach(() => restore());
 * });
 */
export function useModelKernel(kernel: ModelKernel): ModelInUse {
  const restore = overrideBackend(new ModelBackend(kernel));
  return Object.assign(() => restore(), { [Symbol.dispose]: restore });
}
