import assert from 'node:assert/strict';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { encodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import { ModelKernel, type ModelProcess } from '#internal/backends/model/index.js';
import { attemptDone, bootRecorder, endChild, type Row } from '../recordings.js';
import { jailedChild } from './lists.js';
import type { Replay } from './replay.js';

const { inet } = layout59.families;
const ANY = '0.0.0.0';
const OWN = '10.0.0.1';
const CONNECT = /from (host|another jail 10\.0\.0\.1): connect/;

/**
 * The group `listen-override`: who answers where the host and a jail both listen. Rows of the recording are left out: who
 * else listened on a port follows from the names of its other rows.
 */
export function replayListenOverride(replay: Replay): void {
  const kernel = new ModelKernel();
  kernel.network.interfaces.get('lo0')?.addresses.push(OWN, '10.0.0.2');
  const recorder = bootRecorder(kernel);
  for (const on of [0, 1]) new Listeners(replay, kernel, recorder, on).run();
}

class Listeners {
  readonly #replay: Replay;
  readonly #kernel: ModelKernel;
  readonly #recorder: ModelProcess;
  readonly #jail: ModelProcess;
  readonly #cap: string;
  readonly #ports: readonly [number, number, number];

  constructor(replay: Replay, kernel: ModelKernel, recorder: ModelProcess, on: number) {
    this.#replay = replay;
    this.#kernel = kernel;
    this.#recorder = recorder;
    this.#cap = `cap=${on}`;
    this.#ports = on === 1 ? [9410, 9411, 9412] : [9400, 9401, 9402];
    this.#jail = jailedChild(recorder, 'lo', '/', [OWN]);
    const node = `jail.${this.#jail.jid}.allow_listen_override`;
    recorder.sysctl(node, { value: encodeInt(on) });
  }

  run(): void {
    const [both, one, exact] = this.#ports;
    const host = this.#recorder;
    this.#listens('host listens on wildcard', host, ANY, both);
    this.#listens(
      `${this.#cap} jail(10.0.0.1) listens on wildcard, same port`,
      this.#jail,
      ANY,
      both,
    );
    this.#connects();
    listen(host, ANY, one);
    this.#listens(`${this.#cap} jail listens on 10.0.0.1`, this.#jail, OWN, one);
    this.#listens('then host listens on 10.0.0.1', host, OWN, one);
    this.#connects();
    this.#listens('host listens on 10.0.0.1', host, OWN, exact);
    // One after the other: both of one owner cannot be there without SO_REUSEADDR.
    const own = this.#listens(`${this.#cap} then jail listens on 10.0.0.1`, this.#jail, OWN, exact);
    this.#jail.close(own);
    this.#listens(`${this.#cap} then jail listens on wildcard`, this.#jail, ANY, exact);
    this.#connects();
  }

  #listens(name: string, process: ModelProcess, address: string, port: number): number {
    let fd = -1;
    const call = () => {
      fd = listen(process, address, port);
    };
    this.#replay.check(name, () => attemptDone(call));
    return fd;
  }

  #connects(): void {
    const port = (row: Row) => row.call === 'connect' && this.#ports.includes(Number(row.port));
    for (const row of this.#replay.left) if (port(row)) this.#connect(row);
  }

  #connect(row: Row): void {
    const [, who] = CONNECT.exec(row.case) ?? assert.fail(row.case);
    const caller =
      who === 'host' ? this.#recorder.fork() : jailedChild(this.#recorder, 'other', '/', [OWN]);
    const fd = caller.socket(inet, 1);
    const to = { family: 'inet', address: String(row.ip), port: Number(row.port) } as const;
    this.#replay.check(
      row.case,
      () => attemptDone(() => caller.connect(fd, to)),
      () => {
        const remote = caller.entry.files.get(fd)?.socket?.remote;
        const listener = this.#kernel.sockets.listener(remote ?? assert.fail(row.case));
        const jid = listener?.credential.prison?.jid ?? 0;
        assert.equal(jid, row.answered_by === 'host' ? 0 : this.#jail.jid, row.case);
      },
    );
    endChild(this.#recorder, caller);
  }
}

// As the recorder's sockets were: without SO_REUSEADDR.
function listen(process: ModelProcess, address: string, port: number): number {
  const fd = process.socket(inet, 1);
  process.setReuseAddress(fd, false);
  process.bind(fd, { family: 'inet', address, port });
  process.listen(fd);
  return fd;
}

/** The group `timewait`: who ends after the other side has closed leaves nothing behind. */
export function replayTimeWait(replay: Replay): void {
  const kernel = new ModelKernel();
  kernel.network.interfaces.get('lo0')?.addresses.push(OWN);
  const recorder = bootRecorder(kernel);
  const listener = listen(recorder, ANY, 8005);
  const client = jailedChild(recorder, 'tw', '/', [OWN]);
  client.connect(client.socket(inet, 1), { family: 'inet', address: OWN, port: 8005 });
  // The recorder's listeners closed what they had accepted at once: they were first.
  recorder.close(recorder.accept(listener));
  endChild(recorder, client);
  replay.checkList('t=0s after the jailed client exited (active close)', recorder);
}
