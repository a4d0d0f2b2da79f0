import { probe } from '../../probe.js';
import type { Feature, Probe } from '../../reports.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { type Io, printJson, printLine } from '../io.js';
import { type Paint, paint } from '../output/colours.js';
import { escapeText } from '../output/escape.js';
import { wrapText } from '../output/wrap.js';

const INDENT = 6;

/** `dfjail probe`: what can be done here. */
export const command = defineCommand({
  name: 'probe',
  summary: 'tell what can be done on this machine',
  synopsis: ['[--json]'],
  description: [
    'Tells which kernel is here, whether it is used as root, and which features there are; of each that is missing, why, and what to do about it.',
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
    const result = probe();
    if (json) printJson(io.stdout, result);
    else printProbe(result, io);
    return undefined;
  },
});

function printProbe({ backend, release, privileged, features }: Probe, io: Io): void {
  const colour = paint(io.stdout, io.env);
  printLine(io.stdout, `backend   ${backend}`);
  printLine(io.stdout, `release   ${escapeText(release)}`);
  printLine(io.stdout, `as root   ${privileged ? 'yes' : 'no'}`);
  printLine(io.stdout, '');
  const width = io.stdout.isTTY ? (io.stdout.columns ?? 80) : 80;
  for (const [name, feature] of Object.entries(features)) {
    for (const line of featureLines(name, feature, width, colour)) printLine(io.stdout, line);
  }
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
