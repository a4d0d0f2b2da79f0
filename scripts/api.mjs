// npm run api: writes the reports of the public surface, api/*.md. With --check it only shows what has changed since.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiReports, REPORTS, staleReports } from './lib/api.mjs';
import { at, giveUp, say } from './lib/project.mjs';
import { compileLibrary, installPackages } from './lib/steps.mjs';

installPackages();
if (!compileLibrary()) giveUp('TypeScript does not compile.');
const stale = staleReports(apiReports());
if (process.argv.includes('--check')) tell();
else write();

function tell() {
  if (stale.length === 0) return;
  for (const { name, kept, wanted } of stale) showDifference(name, kept ?? '', wanted ?? '');
  giveUp('The public surface is not what api/ says.', 'if that is meant: npm run api');
}

function write() {
  mkdirSync(at(REPORTS), { recursive: true });
  for (const { name, wanted } of stale) {
    if (wanted === null) rmSync(at(REPORTS, name));
    else writeFileSync(at(REPORTS, name), wanted);
    say(`${wanted === null ? 'removed' : 'wrote'} ${REPORTS}/${name}`);
  }
}

function showDifference(name, kept, wanted) {
  const folder = mkdtempSync(join(tmpdir(), 'dragonfly-jail-api-'));
  try {
    const file = join(folder, name);
    writeFileSync(file, wanted);
    const args = ['-u', kept === '' ? '/dev/null' : at(REPORTS, name), file];
    const { error } = spawnSync('diff', args, { stdio: ['ignore', 2, 2] });
    if (error) say(`${name} has changed`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
