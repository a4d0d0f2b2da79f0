import { selectBackend } from './backends/select.js';
import { type Capabilities, resolveCapabilities } from './capabilities.js';

/**
 * What a jail may do when its spec says nothing.
 *
 * @returns a copy: `setHostname` and `unixIpRouteOnly` are on and all others off, unless they were changed
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: there is no backend for this kernel
 * @see sysctl(8) `jail.defaults`
 * @example if (defaultCapabilities().rawSockets) console.log('ping works in new jails');
 */
export function defaultCapabilities(): Capabilities {
  return selectBackend().defaultCapabilities();
}

/**
 * Changes what jails that are made later may do. On DragonFly this is the kernel's own setting, for every program; on
 * Linux the kernel has none, and it holds for this program (and thread) only.
 *
 * @param capabilities those to be changed
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_JAIL_UNSUPPORTED`: this kernel cannot
 *   give one of them. Nothing is changed then.
 * @see sysctl(8) `jail.defaults`
 * @example setDefaultCapabilities({ rawSockets: true });
 */
export function setDefaultCapabilities(capabilities: Partial<Capabilities>): void {
  const backend = selectBackend();
  const wanted = resolveCapabilities(
    capabilities ?? null,
    'capabilities',
    backend.defaultCapabilities(),
  );
  backend.checkCapabilities(wanted);
  backend.setDefaultCapabilities(wanted);
}
