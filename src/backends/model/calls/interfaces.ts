import { addressText } from '../../dragonfly/kernel-address.js';
import type { Kernel } from '../kernel-state.js';
import { prisonAddresses } from '../network.js';
import type { ProcessEntry } from '../process.js';
import { assertHostRoot } from './privilege.js';

/** An entry of getifaddrs(3): `address` is null for the link itself. */
export interface InterfaceAddress {
  /** The name of the interface. */
  readonly interface: string;
  /** Canonical text; null: this entry is the link itself. */
  readonly address: string | null;
}

/** getifaddrs(3): a jail sees its own addresses only, in the order of the interfaces. */
export function interfaceAddresses(kernel: Kernel, process: ProcessEntry): InterfaceAddress[] {
  const { prison } = process.credential;
  const own =
    prison === null
      ? null
      : new Set([...prisonAddresses(prison, 'inet'), ...prisonAddresses(prison, 'inet6')]);
  return [...kernel.network.interfaces.values()].flatMap(({ name, addresses }) => {
    const shown = addresses.filter((address) => own?.has(address) ?? true);
    const entries = shown.map((address) => ({ interface: name, address }));
    return [{ interface: name, address: null }, ...entries];
  });
}

/** SIOCAIFADDR and SIOCAIFADDR_IN6: adds an alias. An address that is there already stays, and is no error. */
export function addAlias(
  kernel: Kernel,
  process: ProcessEntry,
  interfaceName: string,
  bytes: Uint8Array,
): void {
  assertHostRoot(kernel, process);
  const found = kernel.network.interfaces.get(interfaceName);
  if (found === undefined) throw kernel.error('ENXIO');
  const address = addressText(bytes);
  if (!found.addresses.includes(address)) kernel.network.addAlias(found, address);
}

/** SIOCDIFADDR and SIOCDIFADDR_IN6. */
export function removeAlias(
  kernel: Kernel,
  process: ProcessEntry,
  interfaceName: string,
  bytes: Uint8Array,
): void {
  assertHostRoot(kernel, process);
  const found = kernel.network.interfaces.get(interfaceName);
  if (found === undefined) throw kernel.error('ENXIO');
  const at = found.addresses.indexOf(addressText(bytes));
  if (at < 0) throw kernel.error('EADDRNOTAVAIL');
  found.addresses.splice(at, 1);
}

/** SIOCSIFFLAGS. */
export function setInterfaceFlags(
  kernel: Kernel,
  process: ProcessEntry,
  interfaceName: string,
): void {
  assertHostRoot(kernel, process);
  if (!kernel.network.interfaces.has(interfaceName)) throw kernel.error('ENXIO');
}
