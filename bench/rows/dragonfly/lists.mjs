// The jails of the host, and the processes of one of them.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { inTurn } from '../../lib/pairs.mjs';
import { bareSpec } from '../../lib/place.mjs';
import { compared } from '../../lib/row.mjs';

const JAILS = 20;
const IN_JAIL = 20;
const ON_HOST = 60;
const JLS = 'jls(8), forked';
const PS = 'ps(1), forked';
const COLUMNS = 'pid,ppid,pgid,sess,jail,uid,state,lstart,rss,vsz,time,ucomm,args';
const run_ = promisify(execFile);

/** With some jails and processes there. */
export async function run({ place, dfjail, quick }) {
  const { Jail, listJails, listProcesses } = dfjail;
  const jails = [];
  const crowd = [];
  try {
    for (let i = 0; i < JAILS; i++) jails.push(await Jail.create(bareSpec(place)));
    const [jail] = jails;
    const inmates = Array.from({ length: IN_JAIL }, () =>
      jail.spawn('/sleeper', ['0'], { stdio: ['pipe', 'ignore', 'ignore'] }),
    );
    await Promise.all(inmates.map((one) => once(one, 'spawn')));
    for (let i = 0; i < ON_HOST; i++) crowd.push(spawn('sleep', ['1000'], { stdio: 'ignore' }));
    const turns = { rounds: quick ? 8 : 25, times: 5 };
    const ps = (...args) => run_('ps', [...args, '-ww', '-o', COLUMNS]);
    const lists = await inTurn({ ours: () => void listJails(), [JLS]: () => run_('jls') }, turns);
    const one = await inTurn({ ours: () => void jail.processes(), [PS]: () => ps('-ax') }, turns);
    const all = await inTurn({ ours: () => void listProcesses(), [PS]: () => ps('-ax') }, turns);
    return [
      compared(`listJails() of ${JAILS} jails`, lists, [[JLS, 0.1]]),
      compared(`processes() of one jail, ${IN_JAIL}`, one, [[PS, 0.1]]),
      compared(`listProcesses(), ${listProcesses().length}`, all, [[PS, 0.3]]),
    ];
  } finally {
    for (const child of crowd) child.kill('SIGKILL');
    await Promise.all(jails.map((jail) => jail.stop({ graceMs: 0 })));
  }
}
