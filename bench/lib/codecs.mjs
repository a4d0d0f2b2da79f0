// The bytes that DragonFly's kernel gives for so many processes and jails, by the model of it; and their decoding.
import { confirmRows, parseJailList } from '#internal/backends/dragonfly/jail-list.js';
import { decodeProcesses, processInfo } from '#internal/backends/dragonfly/kinfo.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { decodeWholeText } from '#internal/backends/dragonfly/sysctl-value.js';
import { ModelKernel } from '#internal/backends/model/index.js';
import { mapJail } from '#internal/backends/model/jail-image.js';

const KERN_PROC_ALL = [1, 14, 0];

/**
 * What decodes them.
 *
 * @param count of processes, each of which is in a jail of its own
 */
export function decoders(count) {
  const { host } = jailedProcesses(count);
  const records = host.sysctlMib(KERN_PROC_ALL).bytes;
  const list = host.sysctl('jail.list').bytes;
  return {
    processes: () => decodeProcesses(records, layout59).map((process) => processInfo(process, [])),
    jails: () => confirmRows(parseJailList(decodeWholeText(list)), () => true),
  };
}

function jailedProcesses(count) {
  const kernel = new ModelKernel();
  kernel.directory('/jails/bench');
  for (let i = 0; i < count; i++) {
    const addresses = [`10.${i >> 8}.${i & 255}.1`];
    const spec = { path: '/jails/bench', hostname: `host${i}.example.org`, addresses };
    const child = kernel.host.fork();
    child.jail(mapJail(child, spec, layout59));
  }
  return kernel;
}
