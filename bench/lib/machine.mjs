// On what it was measured.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** The machine, in one object of words and numbers. */
export function describeMachine() {
  return {
    system: `${type()} ${release()}`,
    node: process.version,
    processor: cpus()[0]?.model.trim() || modelOf(),
    processors: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    load: loadavg()[0],
    date: new Date().toISOString().slice(0, 10),
  };
}

function modelOf() {
  if (type() === 'DragonFly') return execFileSync('sysctl', ['-n', 'hw.model']).toString().trim();
  const text = readFileSync('/proc/cpuinfo', 'utf8');
  return /^model name\s*: (.*)$/m.exec(text)?.[1] ?? 'unknown';
}
