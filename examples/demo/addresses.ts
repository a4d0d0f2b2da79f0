import { randomInt } from 'node:crypto';
import { type Jail, JailError } from 'dragonfly-jail';

const ATTEMPTS = 10;

/** Two private addresses of each family, of a network that is most likely nobody's. */
function someAddresses(): string[] {
  const net = randomInt(1, 255);
  const net6 = `fd0d:f1:${net.toString(16)}`;
  return [`10.213.${net}.1`, `10.213.${net}.2`, `${net6}::1`, `${net6}::2`];
}

/** May an address be of a jail of this demo's? */
export function isOfTheDemo(address: string): boolean {
  return /^(10\.213\.|fd0d:f1:)/.test(address);
}

/** Creates a jail with other addresses as long as somebody else has one of them. */
export async function createWithFreeAddresses(
  create: (addresses: readonly string[]) => Promise<Jail>,
): Promise<Jail> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await create(someAddresses());
    } catch (error) {
      const inUse = error instanceof JailError && error.code === 'ERR_JAIL_ADDRESS_IN_USE';
      if (!inUse || attempt === ATTEMPTS) throw error;
    }
  }
}
