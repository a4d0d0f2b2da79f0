import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { probe } from 'dragonfly-jail';

const onLinux = probe().backend === 'linux';

/** Of a jail with addresses: DragonFly puts them on an interface of the host, Linux gives the jail one of its own. */
export const network: { interface?: string } = onLinux ? {} : { interface: 'lo0' };

/** Can programs of the host call the addresses of jails? DragonFly's are the host's own. */
export const reachable = probe().features.hostNetwork?.available ?? !onLinux;

/** What the kernel says to the root of a jail that wants an address of somebody else's, or a process of the host's. */
export const refusals = onLinux
  ? { bind: 'EADDRNOTAVAIL', kill: 'ESRCH' }
  : { bind: 'EINVAL', kill: 'EPERM' };

/** Fetches a page. */
export async function fetchPage(url: string): Promise<string> {
  const signal = AbortSignal.timeout(10_000);
  return new Promise((resolve, reject) => {
    get(url, { signal }, (response) => text(response).then(resolve, reject)).on('error', reject);
  });
}
