import type { Paint } from '../output/colours.js';
import { type Column, layOutTable } from '../output/table.js';
import { formatBytes, formatTime } from '../output/units.js';
import { cutText, padText } from '../output/width.js';
import { type SortKey, sortJails } from './order.js';
import type { JailSample, Sample } from './sampler.js';

/** How the jails are shown. */
export interface ViewState {
  readonly sort: SortKey;
  readonly reverse: boolean;
}

const KEYS = 'sort: c cpu, m memory, p processes, t threads, n name, j jid, r reverse; q quit';
const BUSY = 50;

const columns: readonly Column<JailSample>[] = [
  { title: 'JID', align: 'right', text: ({ jid }) => String(jid) },
  { title: 'NAME', least: 6, text: ({ name }) => name ?? '-' },
  { title: 'PROCS', align: 'right', text: ({ processes }) => String(processes) },
  { title: 'THR', align: 'right', text: ({ threads }) => String(threads) },
  { title: 'RSS', align: 'right', text: ({ rss }) => formatBytes(rss) },
  { title: 'TIME', align: 'right', text: ({ cpuTime }) => formatTime(cpuTime) },
  {
    title: 'CPU%',
    align: 'right',
    text: ({ cpu }) => (cpu === null ? '-' : cpu.toFixed(1)),
    paint: ({ cpu }, colour) => ((cpu ?? 0) >= BUSY ? colour.bad : undefined),
  },
  { title: 'HOSTNAME', least: 6, text: ({ hostname }) => hostname },
];

/**
 * The table of jails.
 *
 * @param sample what there is
 * @param state how it is shown
 * @param width of the terminal; undefined: nothing is cut
 * @param colour how it is marked
 */
export function tableLines(
  sample: Sample,
  { sort, reverse }: ViewState,
  width: number | undefined,
  colour: Paint,
): string[] {
  return layOutTable(columns, sortJails(sample.jails, sort, reverse), width, colour);
}

/**
 * A whole screen.
 *
 * @param sample what there is
 * @param state how it is shown
 * @param size of the terminal
 * @param colour how it is marked
 * @returns at most as many lines as the terminal has, none wider than it
 */
export function screenLines(
  sample: Sample,
  state: ViewState,
  size: { readonly columns: number; readonly rows: number },
  colour: Paint,
): string[] {
  const { columns: width, rows } = size;
  const [titles = '', ...body] = tableLines(sample, state, width, colour);
  const line = padText(cutText(`${summary(sample)}  by ${state.sort}`, width), width);
  const head = [colour.reverse(line), colour.dim(cutText(KEYS, width)), titles];
  return [...head, ...body].slice(0, rows);
}

function summary({ time, jails }: Sample): string {
  const sum = (value: (jail: JailSample) => number) =>
    jails.reduce((total, jail) => total + value(jail), 0);
  const clock = time.toTimeString().slice(0, 8);
  const processes = sum((jail) => jail.processes);
  const memory = formatBytes(sum(({ rss }) => rss));
  const cpu = sum((jail) => jail.cpu ?? 0).toFixed(1);
  return `${clock}  jails ${jails.length}  processes ${processes}  memory ${memory}  cpu ${cpu}%`;
}
