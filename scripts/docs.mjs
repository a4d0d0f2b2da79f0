// npm run docs: writes the documents that are made of the texts of the subcommands. With --check it only tells which
// of them are stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { at, giveUp, say } from './lib/project.mjs';
import { compileLibrary, installPackages } from './lib/steps.mjs';

installPackages();
if (!compileLibrary()) giveUp('TypeScript does not compile.');
const { generatedFiles } = await import(at('dist', 'cli', 'docs', 'index.js'));

const files = await generatedFiles();
const stale = files.filter(({ path, text }) => contentOf(at(path)) !== text);
if (process.argv.includes('--check') && stale.length > 0) {
  giveUp(`stale: ${stale.map(({ path }) => path).join(', ')}`, 'npm run docs');
}
for (const { path, text } of stale) {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
  say(`wrote ${path}`);
}

function contentOf(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
