// On what it was measured.
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** The machine, in one object of words and numbers. */
export function describeMachine() {
  return {
    system: `${type()} ${release()}`,
    node: process.version,
    processor: cpus()[0]?.model.trim() || modelOf(readFileSync('/proc/cpuinfo', 'utf8')),
    processors: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    load: loadavg()[0],
    date: new Date().toISOString().slice(0, 10),
  };
}

function modelOf(text) {
  return /^model name\s*: (.*)$/m.exec(text)?.[1] ?? 'unknown';
}
