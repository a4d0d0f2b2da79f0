import type { InsideView } from '../backend.js';
import type { ModelKernel } from './kernel.js';
import type { Vnode } from './vnode.js';

/** What there is inside of the jails of a model. */
export function insideOf(kernel: ModelKernel): InsideView {
  return {
    exists: (jid, path) => {
      const root = kernel.prisons.find(jid)?.root.vnode;
      return root !== undefined && leadsTo(root, path);
    },
    listens: (jid, port) => kernel.sockets.listensIn(jid, port),
  };
}

function leadsTo(root: Vnode, path: string): boolean {
  let at: Vnode | undefined = root;
  for (const part of path.split('/').filter((name) => name !== '' && name !== '.')) {
    at = at?.entries.get(part);
    while (at?.mountedHere) at = at.mountedHere.root;
    if (at === undefined) return false;
  }
  return true;
}
