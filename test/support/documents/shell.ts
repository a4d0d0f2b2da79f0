import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type Block, placeOf, root } from './blocks.js';
import type { Outcome, Step } from './inside.js';

/** A command of a block, and what is expected of it. */
export interface ShellStep {
  readonly step: Step;
  check(outcome: Outcome | undefined): void;
}

// A moment that a program needs to begin, before it is interrupted.
const LATER = 2500;
const INTERRUPTED = 130;
const FAILED = 125;

/**
 * The commands of a block, each with the comment before it or behind it. What the comment says is what is expected:
 * `prints 7`; `Until Ctrl-C`, which is then pressed; `on DragonFly`, where Linux says that it cannot.
 */
export function shellSteps(block: Block, home: string): ShellStep[] {
  const steps: ShellStep[] = [];
  let said = '';
  for (const line of block.code.split('\n').filter((text) => text.trim() !== '')) {
    if (line.startsWith('#')) {
      said = line;
      continue;
    }
    const [, command = line, comment = said] = /^(.*?\S)\s{2,}# ?(.*)$/.exec(line) ?? [];
    steps.push(shellStep(block, command, comment, home));
  }
  return steps;
}

function shellStep(block: Block, command: string, said: string, home: string): ShellStep {
  const endless = /^#? ?Until Ctrl-C/.test(said);
  const waits = said.includes('until something happens');
  const step: Step = {
    argv: argvOf(command),
    cwd: command.startsWith('npm ') ? root : home,
    before: worldFor(command),
    ...(endless ? { ended: { signal: 'SIGINT', after: LATER } as const } : {}),
    ...(waits ? { during: 'dfjail run true' } : {}),
  };
  const check = (outcome: Outcome | undefined) => {
    const about = `${placeOf(block)}: ${command}\n${outcome?.stdout}${outcome?.stderr}`;
    assert(outcome !== undefined, about);
    if (said.includes('on DragonFly')) {
      assert.equal(outcome.code, FAILED, about);
    } else {
      assert(
        (endless ? [0, INTERRUPTED] : [0]).includes(outcome.code ?? -1),
        `${outcome.code} ${about}`,
      );
    }
    const [, printed] = /prints (\S+)/.exec(said) ?? [];
    if (printed !== undefined)
      assert.equal(outcome.stdout.trim().split('\n').at(-1), printed, about);
  };
  return { step, check };
}

// What is written for another shell is run by that shell, where it is installed; else it is only seen that there is a text.
function argvOf(command: string): string[] {
  const [asked, name = ''] = /dfjail completion (zsh|tcsh)/.exec(command) ?? [];
  if (asked === undefined) return ['bash', '-c', command];
  const { error } = spawnSync(name, ['-f', '-c', 'true']);
  if (error !== undefined) return ['sh', '-c', `${asked} | grep -q dfjail`];
  const compinit = name === 'zsh' ? 'autoload -U compinit; compinit -D -u; ' : '';
  return [name, '-f', '-c', compinit + command];
}

// `www` runs, and so do jails of the numbers that the command names; or nothing does, where it is about to be made.
function worldFor(command: string): string[] {
  if (/dfjail (run|start|jail|plan|supervise)\b/.test(command))
    return ['dfjail stop www 2>/dev/null || true'];
  if (!command.includes('dfjail') || command.includes('completion')) return [];
  const numbers = [...command.matchAll(/ (\d)(?= |$)/g)].map(([, number]) => Number(number));
  const most = Math.max(0, ...numbers);
  return ['dfjail start www', ...(most > 0 ? [fillUp(most)] : [])];
}

function fillUp(jid: number): string {
  return `while ! dfjail ls -q ${jid} >/dev/null 2>&1; do dfjail run -d sleep 60 >/dev/null; done`;
}
