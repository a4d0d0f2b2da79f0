// From create() to the end of the first command, with addresses and mounts; and what each step takes.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isInstalled, runChild } from '../lib/helper.mjs';
import { inTurn, timeOf } from '../lib/pairs.mjs';
import { jailSpec } from '../lib/place.mjs';
import { absent, compared } from '../lib/row.mjs';
import { makeBundle } from '../lib/runc.mjs';
import { quantile } from '../lib/statistics.mjs';

const ADDRESSES = ['10.91.0.1', '10.91.0.2', 'fd91::1', 'fd91::2'];

/** Beside bwrap and runc, as far as they run here. */
export async function run({ place, dfjail, quick }) {
  const subjects = { ours: () => once(dfjail, jailSpec(place, { addresses: ADDRESSES })) };
  subjects['here, without addresses'] = () => once(dfjail, jailSpec(place));
  const missing = await addRivals(place, subjects);
  const taken = await inTurn(subjects, { rounds: quick ? 8 : 30, times: 3 });
  const what = 'create with 4 addresses and 4 mounts → first command finished';
  const row = compared(what, taken, [['bwrap', 0.8]]);
  row.steps = await stepTimes(dfjail, jailSpec(place, { addresses: ADDRESSES }), quick);
  return [row, ...missing];
}

async function once({ Jail }, spec) {
  let jail = null;
  const ms = await timeOf(async () => {
    jail = await Jail.create(spec);
    await jail.spawn('/noop', [], { stdio: 'ignore' }).exited;
  });
  await jail.stop();
  return { ms };
}

async function addRivals(place, subjects) {
  const missing = [];
  for (const [name, make] of Object.entries({ bwrap, runc })) {
    const subject = (await isInstalled(name)) ? make(place) : null;
    const code = subject === null ? null : await subject();
    if (code === 0) subjects[name] = subject;
    else
      missing.push(
        absent(`create: ${name}`, code === null ? 'not installed' : 'does not run here'),
      );
  }
  return missing;
}

function bwrap({ root }) {
  const mounts = [
    '--bind',
    root,
    '/',
    '--ro-bind',
    '/usr',
    '/usr',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
  ];
  const args = ['--unshare-all', ...mounts, '--tmpfs', '/tmp', '/noop'];
  return () => runChild('bwrap', args);
}

function runc(place) {
  const bundle = makeBundle(place);
  let count = 0;
  return () => runChild('runc', ['run', '--bundle', bundle, `bench-${process.pid}-${count++}`]);
}

// Medians by step, from the package's own channel.
async function stepTimes({ Jail }, spec, quick) {
  const times = {};
  const note = ({ steps }) => {
    const sums = {};
    for (const { step, durationMs } of steps) sums[step] = (sums[step] ?? 0) + durationMs;
    for (const [step, sum] of Object.entries(sums)) {
      times[step] ??= [];
      times[step].push(sum);
    }
  };
  subscribe('dragonfly-jail:create', note);
  for (let i = 0; i < (quick ? 5 : 20); i++) await (await Jail.create(spec)).stop();
  unsubscribe('dragonfly-jail:create', note);
  return Object.fromEntries(
    Object.entries(times).map(([step, list]) => [step, quantile(list, 0.5)]),
  );
}
