import assert from 'node:assert/strict';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { ModelKernel, type ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, bootRecorder, endChild, jailBy } from '../recordings.js';
import { type Roles, replayLook, replayWait } from './look.js';
import type { Replay } from './replay.js';

const { SIGKILL = 9, SIGUSR1 = 30 } = layout59.signals;
const ROOT = '/tmp/rec';
const TOLD_AGAIN =
  'whether a process that is killed while it is stopped tells its tracer so depends on what it slept in';

/** What is tried. */
interface Trial {
  readonly signal: number | null;
  /** It has not been let go on before. */
  readonly stopped?: boolean;
}

/** The group `tracing`: who is told of the end of a process that somebody traces. */
export function replayTracing(replay: Replay): void {
  const recorder = bootRecorder(new ModelKernel());
  for (const path of ['/tmp', ROOT, '/proc']) recorder.create(path, 'directory');
  recorder.mount('procfs', '/proc');
  new Scene(replay, recorder, 'inmate traces, killed').run({ signal: SIGKILL });
  const stopped = 'inmate traces, killed while it is stopped';
  replay.skip(`${stopped}: the tracer waits`, TOLD_AGAIN);
  new Scene(replay, recorder, stopped).run({ signal: SIGKILL, stopped: true });
  new Scene(replay, recorder, 'inmate traces and ends').run({ signal: null });
  new Scene(replay, recorder, 'inmate traces, a signal').run({ signal: SIGUSR1 });
  replayRefusals(replay, recorder);
  replayHost(replay, recorder);
}

class Scene {
  readonly #replay: Replay;
  readonly #name: string;
  readonly #me: ModelProcess;
  readonly #keeper: ModelProcess;
  readonly #target: ModelProcess;
  readonly #tracer: ModelProcess;
  #told: number | null = null;

  constructor(replay: Replay, me: ModelProcess, name: string) {
    this.#replay = replay;
    this.#me = me;
    this.#name = name;
    this.#keeper = me.fork();
    replay.check(`${name}: jail`, () => attempt(() => jailBy(this.#keeper, 'trace', ROOT)));
    this.#target = this.#inmate();
    this.#target.entry.ended.push(() => {
      this.#told = this.#target.entry.exitStatus;
    });
    this.#tracer = this.#inmate();
  }

  run({ signal, stopped = false }: Trial): void {
    const { pid } = this.#target;
    this.#look('before');
    this.#call('attach', () => this.#tracer.ptraceAttach(pid));
    this.#wait('the tracer waits for the stop', () => this.#tracer.waitStopped(pid));
    this.#look('traced');
    this.#waitOfParent('its parent waits');
    if (signal !== null && !stopped) {
      this.#call('continue', () => this.#tracer.ptraceContinue(pid));
      this.#look('continued');
    }
    if (signal === SIGKILL) this.#kill();
    else if (signal !== null) this.#signal(signal);
    else this.#endOfTracer();
    endChild(this.#me, this.#keeper);
    this.#replay.checkList(`${this.#name}: list`, this.#me);
  }

  #kill(): void {
    const { pid } = this.#target;
    this.#call('kill', () => this.#me.kill(pid, SIGKILL));
    this.#look('killed');
    this.#event();
    this.#waitOfParent('its parent waits while nobody else has');
    this.#wait('the tracer waits', () => this.#tracer.waitStopped(pid));
    this.#look('the tracer has waited');
    this.#waitOfParent('its parent waits then');
    endChild(this.#me, this.#tracer);
    this.#look('the tracer has ended');
    this.#waitOfParent('its parent waits at last');
  }

  #signal(signal: number): void {
    const { pid } = this.#target;
    this.#call('end', () => this.#me.kill(pid, signal));
    this.#look('a signal has come');
    this.#wait('the tracer waits', () => this.#tracer.waitStopped(pid));
    this.#endOfTracer();
  }

  #endOfTracer(): void {
    this.#me.kill(this.#tracer.pid, SIGKILL);
    this.#me.wait(this.#tracer.pid);
    this.#look('the tracer was killed');
    this.#event();
    this.#waitOfParent('its parent waits then');
  }

  #inmate(): ModelProcess {
    const inmate = this.#me.fork();
    inmate.jailAttach(this.#keeper.jid);
    return inmate;
  }

  #event(): void {
    this.#replay.check(
      `${this.#name}: kernel event`,
      () => attempt(() => Number(this.#told !== null)),
      (row) => assert.equal(this.#told ?? -1, row.status, row.case),
    );
  }

  #call(what: string, call: () => unknown): void {
    this.#replay.check(`${this.#name}: ${what}`, () => attemptDone(call));
  }

  #look(what: string): void {
    const roles = { me: this.#me, tracer: this.#tracer };
    replayLook(this.#replay, `${this.#name}: ${what}`, this.#target, roles);
  }

  #wait(what: string, wait: () => { readonly status: number } | null): void {
    replayWait(this.#replay, `${this.#name}: ${what}`, wait);
  }

  #waitOfParent(what: string): void {
    this.#wait(what, () => this.#me.wait(this.#target.pid));
  }
}

function replayRefusals(replay: Replay, recorder: ModelProcess): void {
  const keeper = recorder.fork();
  replay.check('refused: jail', () => attempt(() => jailBy(keeper, 'trace', ROOT)));
  const user = recorder.fork();
  user.jailAttach(keeper.jid);
  user.setgid(1001);
  user.setuid(1001);
  const outside = recorder.fork();
  const targets: [string, number][] = [
    ["another user's process", user.pid],
    ['a process of the host', outside.pid],
    ['init', 1],
    ['nobody', 77_777],
  ];
  for (const [name, pid] of targets) {
    const inmate = recorder.fork();
    inmate.jailAttach(keeper.jid);
    replay.check(`refused: ${name}`, () => attemptDone(() => inmate.ptraceAttach(pid)));
    endChild(recorder, inmate);
  }
  for (const process of [user, outside, keeper]) endChild(recorder, process);
  replay.checkList('refused: list', recorder);
}

// Somebody on the host has a jailed process in his hands, and it is killed.
function replayHost(replay: Replay, recorder: ModelProcess): void {
  const target = recorder.fork();
  replay.check('host traces: jail', () => attempt(() => jailBy(target, 'trace', ROOT)));
  const { pid } = target;
  const roles: Roles = { me: recorder, tracer: null };
  const look = (what: string) => replayLook(replay, `host traces: ${what}`, target, roles);
  const call = (what: string, make: () => unknown) =>
    replay.check(`host traces: ${what}`, () => attemptDone(make));
  const waits = (what: string, wait: () => { readonly status: number } | null) =>
    replayWait(replay, `host traces: ${what}`, wait);
  call('attach', () => recorder.ptraceAttach(pid));
  waits('wait for the stop', () => recorder.waitStopped(pid));
  look('traced');
  call('attach again', () => recorder.ptraceAttach(pid));
  call('kill', () => recorder.kill(pid, SIGKILL));
  look('killed');
  replay.checkList('host traces: list', recorder);
  waits('wait', () => recorder.waitStopped(pid));
  look('waited for');
  call('detach', () => recorder.ptraceDetach(pid));
  look('let go');
  waits('wait then', () => recorder.wait(pid));
  replay.checkList('host traces: list then', recorder);
}
