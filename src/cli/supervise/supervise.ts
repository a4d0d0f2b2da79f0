import { loadNative } from '../../native.js';
import type { LogLine, ServiceSpec } from '../../supervisor/service-spec.js';
import type { ServiceStatus } from '../../supervisor/state-file.js';
import { Supervisor } from '../../supervisor/supervisor.js';
import { exitCodes } from '../exit-codes.js';
import { describeFailure, printFailure } from '../failure.js';
import { type Io, printJsonLine, printLine } from '../io.js';
import { paint } from '../output/colours.js';
import { escapeText } from '../output/escape.js';
import type { Definitions } from './definitions.js';

const NAME = 'supervise';
const MAX_MS = 0x7fffffff;
const OVER: ReadonlySet<string> = new Set(['stopped', 'failed']);

/** What {@link supervise} needs. */
export interface Session {
  readonly io: Io;
  /** Every line on stdout is a document. */
  readonly json: boolean;
  /** Reads the definitions, again at SIGHUP. */
  read(): Promise<Definitions>;
}

/**
 * Runs services until a signal comes, or until all of them have ended for good.
 *
 * @returns the exit code: 0 when everything was stopped in order and nothing had failed
 * @throws JailError `ERR_JAIL_NATIVE`, and what {@link Session.read} throws
 */
export async function supervise(session: Session): Promise<number> {
  const first = await session.read();
  loadNative(); // without it no service can ever run
  const keep = first.options.onExit === 'keep';
  const supervisor = new Supervisor(withLogs(first, session), first.options);
  tellWarnings(first, session);
  supervisor.on('state', (status) => tellState(status, session));
  supervisor.on('problem', (error, service) => tellProblem(error, service, session));
  const { over, stop } = untilOver(supervisor, session);
  let failed = false;
  try {
    // One that could not be started is told by its state.
    supervisor.start().then(
      () => endIfNothingRuns(supervisor, stop),
      (error) => tellProblem(error, null, session),
    );
    await over;
    failed = supervisor.status().some(({ state }) => state === 'failed');
  } finally {
    await (keep ? supervisor.letGo() : supervisor.stop());
  }
  return failed ? exitCodes.no : exitCodes.ok;
}

// SIGTERM and SIGINT end it; SIGHUP has the file read again, unless it is the terminal that is gone.
function untilOver(
  supervisor: Supervisor,
  session: Session,
): { over: Promise<void>; stop: () => void } {
  const { io } = session;
  const alive = setInterval(() => {}, MAX_MS);
  let stop = () => {};
  const over = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const hangUp = () => {
    if (io.stdout.isTTY || unread) stop();
    else reload(supervisor, session).catch((error) => tellProblem(error, null, session));
  };
  let unread = false;
  // Of a closed pipe all of dfjail is told by SIGHUP, too.
  const lose = () => {
    unread = true;
    stop();
  };
  io.stdout.prependListener('error', lose);
  supervisor.on('state', () => endIfNothingRuns(supervisor, stop));
  const restore = [
    io.onSignal('SIGTERM', stop),
    io.onSignal('SIGINT', stop),
    io.onSignal('SIGHUP', hangUp),
  ];
  void over.then(() => {
    clearInterval(alive);
    io.stdout.off('error', lose);
    for (const each of restore) each();
    // What comes while it ends must not end it sooner.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) io.onSignal(signal, () => {});
  });
  return { over, stop };
}

function endIfNothingRuns(supervisor: Supervisor, stop: () => void): void {
  if (supervisor.status().every(({ state }) => OVER.has(state))) stop();
}

async function reload(supervisor: Supervisor, session: Session): Promise<void> {
  const definitions = await session.read();
  tellWarnings(definitions, session);
  await supervisor.reload(withLogs(definitions, session));
}

// What a service writes is shown, unless its definition has another place for it or it is to outlive us.
function withLogs(
  { services, options }: Definitions,
  { io, json }: Session,
): Definitions['services'] {
  if (options.onExit === 'keep') return services;
  const log = (line: LogLine) => tellLine(line, io, json);
  const entries = Object.entries(services).map(([name, service]): [string, ServiceSpec] => [
    name,
    { log, ...service },
  ]);
  return Object.fromEntries(entries);
}

function tellLine({ service, stream, text }: LogLine, io: Io, json: boolean): void {
  if (json) printJsonLine(io.stdout, { service, stream, text });
  else printLine(io.stdout, `${paint(io.stdout, io.env).dim(`${service} |`)} ${escapeText(text)}`);
}

function tellState(status: ServiceStatus, { io, json }: Session): void {
  if (json) {
    printJsonLine(io.stdout, status);
    return;
  }
  const { name, state, reason } = status;
  const why = reason === null ? '' : `: ${escapeText(reason)}`;
  const colour = paint(io.stdout, io.env);
  const mark = state === 'failed' ? colour.bad : state === 'ready' ? colour.good : colour.bold;
  printLine(io.stdout, `${name} ${mark(state)}${why}`);
}

function tellProblem(error: unknown, service: string | null, { io, json }: Session): void {
  if (json) printJsonLine(io.stderr, { service, error: describeFailure(error, NAME) });
  else printFailure(error, io, NAME);
}

function tellWarnings({ warnings }: Definitions, { io, json }: Session): void {
  if (json) return;
  for (const warning of warnings) printLine(io.stderr, `dfjail ${NAME}: ${escapeText(warning)}`);
}
