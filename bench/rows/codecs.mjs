// What DragonFly's kernel gives, decoded: bytes of the model kernel.
import { inTurn } from '../lib/pairs.mjs';
import { bounded } from '../lib/row.mjs';

const COUNT = 1000;
const MOST = 1; // ms

/** `kern.proc` and `jail.list`. */
export async function run({ quick }) {
  const { decoders } = await import('../lib/codecs.mjs');
  const { processes, jails } = decoders(COUNT);
  const taken = await inTurn({ processes, jails }, { rounds: quick ? 8 : 20, times: 20 });
  return [
    bounded(`kern.proc of ${COUNT} processes, decoded`, taken.processes, MOST, 'ms'),
    bounded(`jail.list of ${COUNT} jails, decoded`, taken.jails, MOST, 'ms'),
  ];
}
