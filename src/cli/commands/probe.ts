import type { Feature, Probe } from '../../reports.js';
import { type BugReport, bugReport, probeOrError } from '../bug-report.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { type Io, printJson, printLine } from '../io.js';
import { type Paint, paint } from '../output/colours.js';
import { escapeText } from '../output/escape.js';
import { wrapText } from '../output/wrap.js';

const INDENT = 6;
const NAME_WIDTH = 10;

/** `dfjail probe`: what can be done here. */
export const command = defineCommand({
  name: 'probe',
  summary: 'tell what can be done on this machine, and what a bug report needs',
  synopsis: ['[--json]'],
  description: [
    'Tells which versions and which kernel are here, whether it is used as root, where the native part was looked for and which one was loaded, the limits and settings that jails depend on, and which features there are; of each that is missing, why, and what to do about it.',
    'Put the whole of it into a bug report: there are no secrets in it. Where there is no backend for this kernel, everything else is told all the same.',
  ],
  options: {},
  examples: [
    { command: 'dfjail probe', text: 'Everything' },
    {
      command: "dfjail probe --json | jq '.features | map_values(.available)'",
      text: 'For a script',
    },
  ],
  exitCodes: commonExitCodes,
  call({ json, io }) {
    const result = probeOrError();
    const report = bugReport(io.env);
    if ('error' in result) {
      if (!json) printReport(report, io);
      throw result.error;
    }
    if (json) printJson(io.stdout, { ...result, report });
    else printAll(result, report, io);
    return undefined;
  },
});

function printAll(result: Probe, report: BugReport, io: Io): void {
  printFact(io, 'backend', result.backend);
  printFact(io, 'release', result.release);
  printFact(io, 'as root', result.privileged ? 'yes' : 'no');
  printReport(report, io);
  printLine(io.stdout, '');
  const colour = paint(io.stdout, io.env);
  const width = io.stdout.isTTY ? (io.stdout.columns ?? 80) : 80;
  for (const [name, feature] of Object.entries(result.features)) {
    for (const line of featureLines(name, feature, width, colour)) printLine(io.stdout, line);
  }
}

function printReport({ user, system, native, ...report }: BugReport, io: Io): void {
  printFact(io, 'package', `${report.package.version} in ${report.package.folder}`);
  printFact(io, 'node', `${report.node.version} ${report.node.arch}, ${report.node.program}`);
  printFact(io, 'system', `${system.name} ${system.release} ${system.version}`);
  printFact(io, 'user', `uid ${user.uid}, gid ${user.gid}, groups ${user.groups.join(' ')}`);
  printFact(io, 'native', `${system.tuple}${native.override === null ? '' : ', overridden'}`);
  for (const { folder, what, problem } of native.places) {
    printFact(io, '', `${folder} (${what}): ${problem ?? 'loaded'}`);
  }
  const { directory, exists } = report.state;
  printFact(io, 'state', `${directory}${exists ? '' : ', not there yet'}`);
  printTable(io, 'limits', report.limits, ({ soft, hard }) => `${soft}, at most ${hard}`);
  printTable(io, 'kernel', report.kernel, (value) => value);
}

function printTable<T>(
  io: Io,
  title: string,
  table: Readonly<Record<string, T>>,
  describe: (value: T) => string,
): void {
  const entries = Object.entries(table);
  if (entries.length === 0) return;
  printFact(io, title, '');
  for (const [name, value] of entries) printFact(io, '', `${name}: ${describe(value)}`);
}

function printFact(io: Io, name: string, value: string): void {
  printLine(io.stdout, `${name.padEnd(NAME_WIDTH)}${escapeText(value)}`.trimEnd());
}

function featureLines(name: string, feature: Feature, width: number, colour: Paint): string[] {
  const { available, reason, hint } = feature;
  const mark = available ? colour.good('yes') : colour.bad('no ');
  const notes = [reason, hint === undefined ? undefined : `hint: ${hint}`];
  const lines = notes.flatMap((note) =>
    note === undefined ? [] : wrapText(escapeText(note), width, INDENT),
  );
  return [`${mark}   ${name}`, ...lines];
}
