import type { ServiceStatus, SupervisorState } from '../../supervisor/state-file.js';
import { exitCodes } from '../exit-codes.js';
import { type Io, printJson, printLine } from '../io.js';
import { printTable } from '../output/print-table.js';
import type { Column } from '../output/table.js';

const GOOD: ReadonlySet<string> = new Set(['ready', 'done']);

/**
 * Prints what a supervisor is doing.
 *
 * @param state as its file has it; null: there is none
 * @returns the exit code: 0 when it runs and all of its services are ready or done
 */
export function printStatus(state: SupervisorState | null, json: boolean, io: Io): number {
  const running = state !== null && isAlive(state.pid);
  const services = state?.services ?? [];
  if (json) printJson(io.stdout, { running, ...state });
  else if (state === null) printLine(io.stdout, 'No supervisor has run yet.');
  else {
    printLine(io.stdout, `supervisor ${state.pid} ${running ? 'runs' : 'does not run'}`);
    printTable(io, columns, services);
  }
  const well = running && services.every((one) => GOOD.has(one.state));
  return well ? exitCodes.ok : exitCodes.no;
}

// A process that may not be signalled is there, too.
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const columns: readonly Column<ServiceStatus>[] = [
  { title: 'NAME', least: 8, text: ({ name }) => name },
  {
    title: 'STATE',
    text: ({ state }) => state,
    paint: ({ state }, colour) =>
      GOOD.has(state) ? colour.good : state === 'failed' ? colour.bad : colour.warn,
  },
  { title: 'JID', align: 'right', text: ({ jid }) => String(jid ?? '-') },
  { title: 'PID', align: 'right', text: ({ pid }) => String(pid ?? '-') },
  { title: 'RESTARTS', align: 'right', text: ({ restarts }) => String(restarts) },
  { title: 'SINCE', text: ({ since }) => since },
  { title: 'REASON', least: 10, text: ({ reason }) => reason ?? '-' },
];
