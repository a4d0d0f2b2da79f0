import { MNT_FORCE } from './calls/mount-flags.js';
import type { ModelProcess } from './model-process.js';
import type { Mount } from './mount-table.js';
import { during } from './translate.js';

/** Unmounts by its number: the name may have been changed since, and something else may lie on it. */
export function unmountOne(monitor: ModelProcess, mounted: Mount): void {
  const where = { step: 'mount', syscall: 'unmount', path: mounted.on };
  during(where, () => {
    const rows = monitor.getfsstat();
    const row = rows.find(({ id }) => id === mounted.id);
    if (row === undefined) return;
    const [top] = rows.filter(({ on }) => on === row.on).slice(-1);
    if (top !== row) throw monitor.error('EBUSY');
    monitor.unmount(row.on, MNT_FORCE);
  });
}
