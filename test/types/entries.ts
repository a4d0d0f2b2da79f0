import type { JailSpec } from 'dragonfly-jail';
import { loadRcConf, type RcConf, type RcJail, type RcSource } from 'dragonfly-jail/rc';
import {
  buildServiceRoot,
  type inspectRoot,
  ProgramError,
  prepareThinRoot,
  type RootInspection,
  type ThinRoot,
} from 'dragonfly-jail/rootfs';
import { readState, type ServiceSpec, Supervisor } from 'dragonfly-jail/supervisor';
import { jail, jailAttach, sysctl } from 'dragonfly-jail/syscalls';
import { ModelKernel, type Program, useModelKernel } from 'dragonfly-jail/testing';
import { holds, type Same } from './expect.js';

declare const spec: JailSpec;

// ── dragonfly-jail/rootfs: what it returns goes into a spec ──

export async function thin(): Promise<JailSpec> {
  const root = await prepareThinRoot('/jails/www', { include: ['/opt'] });
  holds<Same<typeof root, ThinRoot>>();
  // @ts-expect-error: a list
  await prepareThinRoot('/jails/www', { include: '/opt' });
  return { ...spec, mounts: root.mounts };
}

export async function serviceRoot(): Promise<JailSpec> {
  const root = await buildServiceRoot('/jails/www', {
    programs: ['/usr/sbin/nginx'],
    files: ['/etc/mime.types', { target: '/srv/x', content: 'x', user: 'www', mode: 0o640 }],
    users: ['www-data', { name: 'www', uid: 80, groups: ['daemon', { name: 'log', gid: 4 }] }],
    method: 'link',
  });
  // @ts-expect-error: programs are always named
  await buildServiceRoot('/jails/www', { files: [] });
  // @ts-expect-error: copies or links
  await buildServiceRoot('/jails/www', { programs: [], method: 'move' });
  holds<Same<Awaited<ReturnType<typeof inspectRoot>>, RootInspection>>();
  return { ...spec, mounts: root.mounts };
}

export function whoNeedsIt(error: unknown): string | undefined {
  return error instanceof ProgramError ? `${error.file}: ${error.missing}` : undefined;
}

// ── dragonfly-jail/supervisor ──

const service: ServiceSpec = {
  jail: spec,
  command: ['/httpd', '-f'],
  ready: { line: /listening/ },
  log: ({ text, stream }) => console.log(stream, text),
};
const supervisor = new Supervisor({ service }, { onExit: 'keep', stateFile: '/run/x.json' });
supervisor.on('state', ({ name, state }) => {
  // @ts-expect-error: there is no such state
  if (state === 'running') console.log(name);
});
holds<Same<ReturnType<typeof supervisor.run>, Promise<NodeJS.Signals>>>();
export const states = readState('/run/x.json')?.services.map(({ state }) => state);
// @ts-expect-error: a command is a list
new Supervisor({ web: { jail: spec, command: '/httpd -f' } });
// @ts-expect-error: without a jail
new Supervisor({ web: { command: ['/httpd'] } });
// @ts-expect-error: only these
new Supervisor({ web: { ...service, restart: 'sometimes' } });

// ── dragonfly-jail/rc ──

export const conf: RcConf = loadRcConf(['/etc/defaults/rc.conf', '/etc/rc.conf']);
export const www: RcJail | undefined = conf.jails.get('www');
export const source: RcSource = { text: 'jail_enable="YES"', file: 'rc.conf' };
// @ts-expect-error: what was read is not changed
conf.enabled = true;

// ── dragonfly-jail/syscalls ──

holds<Same<ReturnType<typeof jail>, number>>();
jailAttach(3);
holds<Same<ReturnType<typeof sysctl.getInt>, number>>();
sysctl.get([1, 2]);
// @ts-expect-error: jids are numbers here
jailAttach('www');
// @ts-expect-error: the call has no limits
jail({ path: '/', hostname: 'x', addresses: [], limits: {} });

// ── dragonfly-jail/testing ──

const hello: Program = ({ stdout, argv }) => {
  stdout.write(`hello ${argv[1]}\n`);
};
const kernel = new ModelKernel({ version: '5.8', cpus: 2 });
kernel.programs.add('/bin/hello', hello);
const restore = useModelKernel(kernel);
restore();
// @ts-expect-error: no such DragonFly
new ModelKernel({ version: '4.2' });
