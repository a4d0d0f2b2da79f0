import { resolve } from 'node:path';
import { Jail } from '../../jail.js';
import type { PlanStep } from '../../reports.js';
import { thinRootMounts } from '../../rootfs/thin.js';
import type { JailSpec } from '../../spec.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { type Io, printJson, printLine } from '../io.js';
import { mergeMounts } from '../jail-root.js';
import { type JailOptionValues, jailOptions, jailSpec, once } from '../options/jail.js';
import { type JailForm, readJailForm } from '../options/jail-form.js';
import { paint } from '../output/colours.js';
import { escapeText } from '../output/escape.js';
import { padText } from '../output/width.js';
import { wrapText } from '../output/wrap.js';
import { plannedThinFolder } from '../thin-folder.js';

const INDENT = 16;

/** `dfjail plan`: what `dfjail run` would do. */
export const command = defineCommand({
  name: 'plan',
  summary: 'tell what making a jail would do, without doing it',
  synopsis: ['[JAIL OPTION…] [--json]', '[JAIL OPTION…] PATH HOSTNAME IP[,IP…]'],
  description: [
    'Takes what `dfjail run` takes to describe a jail, and prints the steps in which it would be made, each with what would take it back. Nothing is changed, and no privileges are needed. Errors of `dfjail run` carry the names of the steps.',
  ],
  options: jailOptions,
  commandAfter: 0,
  examples: [
    { command: 'dfjail plan --ip 10.0.0.7', text: 'A jail with a thin root and an address' },
    {
      command: 'dfjail plan /var/jails/www www.example.org 10.0.0.7,fd00::7',
      text: 'As jail(8) would be called',
    },
  ],
  exitCodes: commonExitCodes,
  async call({ options, rest, json, io }) {
    const form = readJailForm(rest);
    if (form.rest.length > 0 && form.path === undefined) {
      const hint = 'the positional form is PATH HOSTNAME IP[,IP…], with a PATH that exists';
      throw new UsageError(`There is nothing to be done with ‘${form.rest[0]}’`, hint);
    }
    const steps = Jail.plan(await plannedSpec(options, form));
    if (json) printJson(io.stdout, steps);
    else printSteps(steps, io);
    return undefined;
  },
});

async function plannedSpec(options: JailOptionValues, form: JailForm): Promise<JailSpec> {
  const spec = jailSpec(options, form);
  const given = once('path', options.path, form.path);
  const path = given === undefined ? plannedThinFolder() : resolve(given);
  if (given !== undefined && !options.thin) return { ...spec, path };
  const mounts = await thinRootMounts(path, { include: options.include });
  return { ...spec, path, mounts: mergeMounts(mounts, spec.mounts ?? []) };
}

function printSteps(steps: readonly PlanStep[], io: Io): void {
  const colour = paint(io.stdout, io.env);
  const width = io.stdout.isTTY ? (io.stdout.columns ?? 80) : 100;
  for (const [index, { step, description, syscall, undo }] of steps.entries()) {
    const head = `${padText(String(index + 1), 3, 'right')} ${padText(step, INDENT - 5)} `;
    const how = syscall === null ? '' : ` (${syscall})`;
    const [first = '', ...more] = wrapText(escapeText(description + how), width, INDENT);
    const back = undo === null ? [] : wrapText(escapeText(`undo: ${undo}`), width, INDENT);
    printLine(io.stdout, colour.bold(head) + first.trimStart());
    for (const line of more) printLine(io.stdout, line);
    for (const line of back) printLine(io.stdout, colour.dim(line));
  }
}
