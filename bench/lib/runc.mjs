// A bundle for runc: the same root and the same mounts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CAPABILITIES = ['CAP_KILL', 'CAP_CHOWN', 'CAP_SETUID', 'CAP_SETGID'];

/** Writes it; returns its folder. */
export function makeBundle({ folder, root }) {
  const bundle = join(folder, 'bundle');
  mkdirSync(bundle, { recursive: true });
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(configuration(root)));
  return bundle;
}

function configuration(root) {
  const namespaces = ['pid', 'network', 'ipc', 'uts', 'mount', 'user'].map((type) => ({ type }));
  const map = [{ containerID: 0, hostID: 2000000000, size: 65536 }];
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0, gid: 0 },
      args: ['/noop'],
      env: ['PATH=/bin'],
      cwd: '/',
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
    },
    root: { path: root },
    hostname: 'bench',
    mounts: [
      { destination: '/usr', type: 'bind', source: '/usr', options: ['rbind', 'ro'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
    ],
    linux: { namespaces, uidMappings: map, gidMappings: map },
  };
}
