import type { ResolvedMount } from '../../mounts.js';
import type { ResolvedSpec } from '../../spec.js';
import type { ModelProcess } from './model-process.js';
import { inChild } from './monitor.js';
import type { Mount } from './mount-table.js';
import { mountPrivateDevfs } from './private-devfs.js';
import type { Stopwatch } from './stopwatch.js';
import { during } from './translate.js';
import type { UndoList } from './undo-list.js';
import { unmountOne } from './unmount-one.js';

const STEP = 'mount';
const TYPES = { nullfs: 'null', devfs: 'null', procfs: 'procfs', tmpfs: 'tmpfs' } as const;
/** Of {@link ResolvedMount.flags}, as mount(2) has them. */
const FLAGS: readonly (readonly [ours: number, kernel: number])[] = [
  [1, 0x1],
  [2, 0x4],
  [4, 0x8],
];
const MNT_NOSUID = 0x8;

/** Mounts what a jail is to have, in order. */
export function mountAll(
  monitor: ModelProcess,
  spec: ResolvedSpec,
  undo: UndoList,
  watch: Stopwatch,
): void {
  for (const mount of spec.mounts) {
    // What a devfs in a jail is: the folder of one that was prepared for it outside.
    const source = mount.type === 'devfs' ? mountPrivateDevfs(monitor, undo) : mount.source;
    const mounted = mountOne(monitor, spec.path, { ...mount, source });
    undo.add(`unmounted ${mount.target}`, (by) => unmountOne(by, mounted));
    watch.done(STEP);
  }
}

// By a child that walks to the mount point without following links, and mounts on where it stands.
function mountOne(monitor: ModelProcess, root: string, mount: ResolvedMount): Mount {
  return inChild(monitor, STEP, (child) => {
    const path = mount.target;
    const where = (syscall: string) => ({ step: STEP, syscall, path });
    during(where('chdir'), () => child.chdir(root));
    for (const part of mount.target.split('/').filter((name) => name !== '')) {
      during(where('chdir'), () => stepInto(child, part));
    }
    const flags = FLAGS.reduce(
      (sum, [ours, theirs]) => sum | (mount.flags & ours ? theirs : 0),
      mount.type === 'nullfs' ? 0 : MNT_NOSUID,
    );
    const source = mount.source === '' ? null : mount.source;
    const options = parseOptions(mount.options);
    return during(where('mount'), () =>
      child.mount(TYPES[mount.type], '.', flags, source, options),
    );
  });
}

// Of a tmpfs: `mode=750,size=1048576`.
function parseOptions(text: string): { mode: number | null; size: number | null } {
  const values = new Map(
    text.split(',').map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return [name, value] as const;
    }),
  );
  const [mode, size] = [values.get('mode'), values.get('size')];
  return {
    mode: mode === undefined ? null : Number.parseInt(mode, 8),
    size: size === undefined ? null : Number(size),
  };
}

function stepInto(child: ModelProcess, part: string): void {
  if (child.lstat(part).kind === 'symlink') throw child.error('ELOOP');
  child.chdir(part);
}

/** Unmounts whatever was mounted from inside the jail, the deepest first. */
export function unmountInside(monitor: ModelProcess, jid: number, mounts: readonly Mount[]): void {
  const inside = mounts.filter(({ prison }) => prison?.jid === jid);
  for (const mount of [...inside].reverse()) unmountOne(monitor, mount);
}
