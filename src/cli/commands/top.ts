import { setTimeout as sleep } from 'node:timers/promises';
import { defineCommand } from '../command.js';
import { commonExitCodes, exitCodes } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { type Io, printJson, printLine } from '../io.js';
import { positiveInteger } from '../options/number.js';
import { paint } from '../output/colours.js';
import { showLive } from '../top/live.js';
import { type SortKey, sortJails, sortKeys } from '../top/order.js';
import { type Sample, Sampler } from '../top/sampler.js';
import { tableLines, type ViewState } from '../top/view.js';

const LIVE_INTERVAL_MS = 2000;
const ONCE_INTERVAL_MS = 500;

/** `dfjail top`: what jails use. */
export const command = defineCommand({
  name: 'top',
  summary: 'show what jails use: processes, threads, memory, CPU',
  synopsis: ['[--sort KEY] [-r] [--interval MS] [--once] [--json]'],
  description: [
    'Shows all jails and what their processes use together, again and again: processes, threads, resident memory (what processes share is counted more than once), CPU time of the living, and CPU in per cent of one CPU since the last look.',
    'Keys: c, m, p, t, n and j sort by CPU, memory, processes, threads, name and jid; r turns the order round; q ends. With `--once` or `--json`, and where stdout is no terminal, it looks twice and prints once.',
  ],
  options: {
    sort: {
      type: 'string',
      short: 's',
      value: 'KEY',
      choices: sortKeys,
      help: 'cpu (the default), memory, processes, threads, name or jid.',
    },
    reverse: { type: 'boolean', short: 'r', help: 'In the other order.' },
    interval: {
      type: 'string',
      value: 'MS',
      help: 'Between two looks, in ms, at least 100. Default 2000, with `--once` 500.',
    },
    once: { type: 'boolean', short: '1', help: 'Print once and end.' },
  },
  examples: [
    { command: 'dfjail top', text: 'On a terminal, until q' },
    { command: 'dfjail top --once --sort memory', text: 'The largest first' },
    {
      command: "dfjail top --json | jq '.jails[] | select(.cpu > 50) | .name'",
      text: 'For a script',
    },
  ],
  exitCodes: [...commonExitCodes, { code: '128+N', meaning: 'Signal N ended it: 130 for Ctrl-C.' }],
  call({ options, json, io }) {
    const state: ViewState = { sort: sortKey(options.sort ?? 'cpu'), reverse: options.reverse };
    const interval = positiveInteger('interval', options.interval, 100);
    if (json || options.once || io.stdout.isTTY !== true) {
      return showOnce(io, state, json, interval ?? ONCE_INTERVAL_MS);
    }
    return showLive(io, state, interval ?? LIVE_INTERVAL_MS);
  },
});

function sortKey(text: string): SortKey {
  const key = sortKeys.find((each) => each === text);
  if (key !== undefined) return key;
  throw new UsageError(`Jails cannot be sorted by ‘${text}’`, `by ${sortKeys.join(', ')}`);
}

async function showOnce(io: Io, state: ViewState, json: boolean, interval: number) {
  const sampler = new Sampler();
  sampler.next();
  await sleep(interval);
  const sample = sampler.next();
  if (json) printJson(io.stdout, document(sample, state, interval));
  else printSample(sample, state, io);
  return exitCodes.ok;
}

function document({ time, jails }: Sample, { sort, reverse }: ViewState, intervalMs: number) {
  return { time, intervalMs, jails: sortJails(jails, sort, reverse) };
}

function printSample(sample: Sample, state: ViewState, io: Io): void {
  const width = io.stdout.isTTY ? (io.stdout.columns ?? 80) : undefined;
  for (const line of tableLines(sample, state, width, paint(io.stdout, io.env))) {
    printLine(io.stdout, line);
  }
}
