import type { AttachReport, KeptDescriptor } from '../../reports.js';
import type { ModelKernel } from './kernel.js';
import type { FileKind } from './open-file.js';

/**
 * Moves the host's program into a jail, as the addon moves a real one: what is open on directories is closed before.
 *
 * @returns what became of its descriptors
 * @throws KernelError what jail_attach(2) says
 */
export function attach({ host, processes }: ModelKernel, jid: number): AttachReport {
  const kinds = [...(processes.find(host.pid)?.files ?? [])].map(([fd, { kind }]) => ({
    fd,
    kind,
  }));
  const closed = kinds.filter(({ kind }) => kind === 'directory').map(({ fd }) => fd);
  for (const fd of closed) host.close(fd);
  host.jailAttach(jid);
  host.chdir('/');
  return { closed, kept: kinds.flatMap(keptBy) };
}

function keptBy({ fd, kind }: { readonly fd: number; readonly kind: FileKind }): KeptDescriptor[] {
  if (kind === 'directory') return [];
  return [{ fd, type: kind === 'null' ? 'device' : kind }];
}
