import assert from 'node:assert/strict';
import { listJails } from 'dragonfly-jail';
import { patience, sleep, within } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { Program } from '../support/programs.js';

// Terminals that end while there is something in them that nobody has read.

const ROUNDS = 50;
const AT_ONCE = 8;
const FLOOD = 'while :; do echo 0123456789012345678901234567890123456789; done';

describe('a terminal whose command ends', () => {
  const jails = useJails();

  it(`never holds its program up: ${AT_ONCE} short commands, ${ROUNDS} times`, async function () {
    this.timeout(patience(180_000));
    // In a program of its own, which may hang.
    const source = `
      const jail = await Jail.create(spec);
      const { text } = await import('node:stream/consumers');
      const run = async (n) => {
        const command = jail.spawn('echo', [String(n)], { pty: true });
        const [output, { exitCode }] = await Promise.all([text(command.stdout), command.exited]);
        if (output !== n + '\\r\\n' || exitCode !== 0) throw new Error(n + ': ' + JSON.stringify(output));
      };
      for (let round = 0; round < ${ROUNDS}; round++) {
        await Promise.all(Array.from({ length: ${AT_ONCE} }, (_, n) => run(round * ${AT_ONCE} + n)));
        if (round % 10 === 9) say(round);
      }
      await jail.stop();
      say('done');`;
    const before = new Snapshot(jails.root.outside);
    await using program = new Program(source, jails.spec());
    for (let round = 9; round < ROUNDS; round += 10) assert.equal(await program.next(), round);
    assert.equal(await program.next(), 'done');
    assert.equal((await program.ended).code, 0);
    await before.assertNothingLeft();
  });

  for (const [what, script] of Object.entries({
    'still writes': FLOOD,
    'has written and is about to end':
      'i=0; while [ $i -lt 400 ]; do echo 0123456789; i=$((i+1)); done',
    'is asked to end and says much about it': `trap '${FLOOD}' TERM; while :; do sleep 0.05; done`,
  })) {
    it(`does not hold stop() up where it ${what}, and nobody reads`, async () => {
      const jail = await jails.create();
      const command = jail.spawn('sh', ['-c', script], { pty: true });
      command.stdout?.on('error', () => {}).pause();
      command.exited.catch(() => {});
      await sleep(700);
      await within('stop()', 10_000, jail.stop({ graceMs: 300 }));
      assert(!listJails().some(({ jid }) => jid === jail.jid));
    });
  }
});
