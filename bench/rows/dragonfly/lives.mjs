// Making a jail and ending it.
import { runChild } from '../../lib/helper.mjs';
import { inTurn, timeOf } from '../../lib/pairs.mjs';
import { bareSpec } from '../../lib/place.mjs';
import { also, bounded, compared } from '../../lib/row.mjs';
import { quantile } from '../../lib/statistics.mjs';

const ADDRESSES = ['10.91.0.1', '10.91.0.2', 'fd91::1', 'fd91::2'];
const JAIL = 'jail(8), forked';
const BY_HAND = 'ifconfig(8) and jail(8), forked';
// Of what the first version took, in ms: bare, and with addresses.
const BARE = (22 + 35) / 2;
const WITH_ADDRESSES = (27 + 37) / 2;

/** Without and with two addresses of each family, beside the base system's programs. */
export async function run({ place, dfjail, quick }) {
  const addresses = { addresses: ADDRESSES, interface: 'lo0' };
  const bare = await parts(dfjail, bareSpec(place), quick);
  const rich = await parts(dfjail, bareSpec(place, addresses), quick);
  const whole = await beside(dfjail, place, {}, { [JAIL]: () => jail(place, '') }, quick);
  const byHand = { [BY_HAND]: () => withAliases(place) };
  const richWhole = await beside(dfjail, place, addresses, byHand, quick);
  return [
    ...described('without addresses', bare, BARE),
    ...described('with two addresses of each family', rich, WITH_ADDRESSES),
    compared('create → a command → stop, without addresses', whole, []),
    compared('the same with two addresses of each family', richWhole, [[BY_HAND, 1]]),
  ];
}

// Ours alone, taken apart.
async function parts({ Jail }, spec, quick) {
  const taken = { create: [], stop: [] };
  for (let i = 0; i < (quick ? 10 : 40); i++) {
    let jail;
    taken.create.push(await timeOf(async () => (jail = await Jail.create(spec))));
    taken.stop.push(await timeOf(() => jail.stop()));
  }
  return taken;
}

function described(how, { create, stop }, most) {
  const sum = quantile(create, 0.5) + quantile(stop, 0.5);
  const row = compared(`create, ${how}`, { ours: create }, []);
  const both = create.map((ms, i) => ms + stop[i]);
  return [
    row,
    compared(`stop, ${how}`, { ours: stop }, []),
    also(
      bounded(`create + stop, ${how}`, both, most, 'ms'),
      `half of the first`,
      sum / most / 2,
      sum <= most,
    ),
  ];
}

async function beside({ Jail }, place, more, others, quick) {
  const ours = async () => {
    const jail = await Jail.create(bareSpec(place, more));
    await jail.spawn('/noop', [], { stdio: 'ignore' }).exited;
    await jail.stop();
  };
  return inTurn({ ours, ...others }, { rounds: quick ? 5 : 15, times: 3 });
}

function jail({ root }, addresses) {
  return runChild('jail', [root, 'bench', addresses, '/noop']);
}

async function withAliases(place) {
  for (const address of ADDRESSES) await runChild('ifconfig', ['lo0', ...aliasOf(address)]);
  await jail(place, ADDRESSES.join(','));
  for (const address of ADDRESSES)
    await runChild('ifconfig', ['lo0', familyOf(address), address, '-alias']);
}

function aliasOf(address) {
  const width = address.includes(':') ? ['prefixlen', '128'] : ['netmask', '255.255.255.255'];
  return [familyOf(address), address, ...width, 'alias'];
}

function familyOf(address) {
  return address.includes(':') ? 'inet6' : 'inet';
}
