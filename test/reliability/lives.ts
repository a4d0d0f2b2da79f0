import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { Jail, JailError, type JailSpec, JailSystemError, recover } from 'dragonfly-jail';
import { sleep } from '../support/environment.js';
import { type Call, type Fault, Injector } from '../support/injector.js';
import { Snapshot } from '../support/leaks.js';

// Runs in a program of its own, whose monitors are the injector: one life of a jail for each system call that is to
// fail.

// Longer than a monitor may be silent.
const TOO_LONG = 45_000;

/** What a life does. */
export type Kind = 'owned' | 'persistent' | 'guest';

/** What the program is told. */
export interface Order {
  readonly folder: string;
  readonly spec: JailSpec;
  readonly outside: string;
  readonly kind: Kind;
  readonly errnos: readonly string[];
  /** Of every so many calls one fails, beginning with this one. */
  readonly every: number;
  readonly first: number;
  /** Of the calls whose names match this regular expression. */
  readonly only: string;
}

/** An error as the caller of the API saw it. */
export interface Seen {
  readonly where: string;
  readonly typed: boolean;
  readonly code: string;
  readonly syscall: string | null;
  readonly step: string | null;
  readonly message: string;
}

/** One life. */
export interface Life {
  readonly fault: Fault | null;
  readonly errno: string;
  readonly hit: boolean;
  readonly errors: readonly Seen[];
  /** What did not come to an end in time. */
  readonly hung: string | null;
  /** What recover() found to do, and what it could not. */
  readonly recovered: readonly string[];
  readonly unrecovered: readonly string[];
  /** What was left after that. */
  readonly left: string | null;
}

/** Lives one life for each call that is to fail, and says how each went. */
export async function live(order: Order, say: (value: Life | { calls: Call[] }) => void) {
  const injector = new Injector(order.folder);
  const calm = await oneLife(order, injector, null, '');
  const { calls } = injector.journal();
  say({ calls });
  say(calm);
  const only = new RegExp(order.only);
  const faults = faultsOf(calls)
    .filter(({ name }) => only.test(name))
    .filter((_, i) => i % order.every === order.first % order.every);
  for (const fault of faults) {
    for (const errno of order.errnos) {
      const number = constants.errno[errno as keyof typeof constants.errno];
      say(await oneLife(order, injector, { ...fault, errno: number }, errno));
    }
  }
}

function faultsOf(calls: readonly Call[]): Omit<Fault, 'errno'>[] {
  const seen = new Map<string, number>();
  return calls.map(({ task, name }) => {
    const nth = (seen.get(`${task} ${name}`) ?? 0) + 1;
    seen.set(`${task} ${name}`, nth);
    return { task, name, nth };
  });
}

async function oneLife(
  order: Order,
  injector: Injector,
  fault: Fault | null,
  errno: string,
): Promise<Life> {
  const errors: Seen[] = [];
  const before = new Snapshot(order.outside);
  let at = 'create';
  const note = (error: unknown) => void errors.push(seen(at, error));
  const setAt = (where: string) => {
    at = where;
  };
  injector.plan(
    order.kind === 'guest' ? null : fault,
    order.kind === 'guest' ? 'maker' : 'journal',
  );
  const steps = LIVES[order.kind](order, () => injector.plan(fault), setAt, note);
  const hung = await endsInTime(steps, () => at);
  const { hit } = injector.journal();
  const recoveries = hung === null ? await recover() : [];
  return {
    fault,
    errno,
    hit: hit || (fault !== null && !existsSync(`${order.folder}/journal`)),
    errors,
    hung,
    recovered: recoveries.flatMap(({ undone }) => undone),
    unrecovered: recoveries.flatMap(({ failed }) =>
      failed.map(({ what, error }) => `${what}: ${error}`),
    ),
    left: hung === null ? await whatIsLeft(before) : null,
  };
}

type Note = (error: unknown) => void;
type At = (where: string) => void;

const LIVES: Record<Kind, (order: Order, arm: () => void, at: At, note: Note) => Promise<void>> = {
  owned: ({ spec }, _, at, note) => owned(spec, at, note),
  persistent: async ({ spec }, _, at, note) => {
    await owned({ ...spec, persist: true }, at, note);
    at('stop by somebody else');
    await stopByName(note);
  },
  guest,
};

async function owned(spec: JailSpec, at: At, note: Note): Promise<void> {
  const jail = await Jail.create(spec).catch(note);
  if (!jail) return;
  await useAndStop(jail, at, note);
}

// A maker who lost the connection has not ended what was made to stay.
async function stopByName(note: Note): Promise<void> {
  const jail = await Jail.open('faulty').catch((error) => {
    if (error.code !== 'ERR_JAIL_NOT_FOUND') note(error);
  });
  await jail?.stop({ graceMs: 0 }).catch(note);
}

async function useAndStop(jail: Jail, at: At, note: Note): Promise<void> {
  at('exec');
  await run(jail, note);
  at('a second exec');
  await run(jail, note);
  at('stop');
  await jail.stop({ graceMs: 50 }).catch(note);
}

async function run(jail: Jail, note: Note): Promise<void> {
  const script = 'read line; echo "heard $line"; exit 3';
  const result = await jail.exec('sh', ['-c', script], { input: 'you\n' }).catch(note);
  if (!result) return;
  const wrong = result.exitCode !== 3 || result.stdout !== 'heard you\n';
  // Whoever lost a jail may find its command killed.
  if (wrong && result.signal !== 'SIGKILL') note(new Error(`a lie: ${JSON.stringify(result)}`));
}

// The maker's monitor is left in peace: what fails is that of the guest.
async function guest({ spec }: Order, arm: () => void, at: At, note: Note): Promise<void> {
  const maker = await Jail.create({ ...spec, name: 'faulty' });
  try {
    at('open');
    arm();
    const jail = await Jail.open('faulty').catch(note);
    if (!jail) return;
    at('exec');
    await run(jail, note);
    at('close');
    await jail[Symbol.asyncDispose]().catch(note);
  } finally {
    at('stop of the maker');
    await maker.stop({ graceMs: 0 }).catch(note);
  }
}

async function endsInTime(life: Promise<void>, at: () => string): Promise<string | null> {
  const timer = new AbortController();
  const late = sleep(TOO_LONG, 'late' as const, { signal: timer.signal }).catch(() => null);
  const first = await Promise.race([life, late]);
  timer.abort();
  return first === 'late' ? at() : null;
}

async function whatIsLeft(before: Snapshot): Promise<string | null> {
  try {
    await before.assertNothingLeft(2000);
    return null;
  } catch (error) {
    return String(error);
  }
}

function seen(where: string, error: unknown): Seen {
  const system = error instanceof JailSystemError ? error : null;
  return {
    where,
    typed: error instanceof JailError,
    code: error instanceof JailError ? error.code : 'none',
    syscall: system?.syscall ?? null,
    step: system?.step ?? null,
    message: String(error),
  };
}
