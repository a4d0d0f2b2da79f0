import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { read, root } from '../support/documents/blocks.js';

const EXPLAINED = read('docs/troubleshooting.md');

// Node's own, which is caught and told as ERR_USAGE.
const NODES_OWN = /^ERR_PARSE_ARGS_/;

function sourcesBelow(folder: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.(ts|cc|hh)$/.test(name)).map((name) => join(folder, name));
}

function allMatches(folder: string, expression: RegExp): RegExpMatchArray[] {
  return sourcesBelow(folder).flatMap((file) => [...read(file).matchAll(expression)]);
}

/** Every code that stands in quotes anywhere in the sources. */
function codesInSources(): Set<string> {
  const found = ['src', 'native'].flatMap((folder) =>
    allMatches(folder, /(?<=['"])(?:ERR_[A-Z_]*[A-Z]|ABORT_ERR)(?=['"])/g),
  );
  return new Set(found.map(([code]) => code).filter((code) => !NODES_OWN.test(code)));
}

/** What the table says, row by row: the codes and the steps of its first cell. */
function explainedPairs(): Set<string> {
  const pairs = new Set<string>();
  for (const [, cell = ''] of EXPLAINED.matchAll(/^\| ([^|]*`E[A-Z0-9]+`[^|]*) \|/gm)) {
    for (const part of cell.split(';')) {
      const words = [...part.matchAll(/`([\w-]+)`/g)].map(([, word = '']) => word);
      const codes = words.filter((word) => /^E[A-Z0-9]+$/.test(word));
      const steps = words.filter((word) => /^[a-z-]+$/.test(word));
      for (const code of codes) {
        pairs.add(code);
        if (part.includes('at any')) pairs.add(`${code} *`);
        for (const step of steps) pairs.add(`${code} ${step}`);
      }
    }
  }
  return pairs;
}

describe('docs/troubleshooting.md', () => {
  it('explains every code that is thrown anywhere in src/ and native/, and no other', () => {
    const thrown = codesInSources();
    const rows = [...EXPLAINED.matchAll(/^\| `((?:ERR_|ABORT_)\w+)` \|/gm)];
    assert(thrown.size > 15, `only ${[...thrown]} were found`);
    assert.deepEqual(rows.map(([, code]) => code).sort(), [...thrown].sort());
  });

  it('explains what the errors of the system have hints for', () => {
    const [, table = ''] = /const hints[^{]*\{(.*?)^\};/ms.exec(read('src/errors.ts')) ?? [];
    const hinted = [...table.matchAll(/^ {2}'?([A-Z0-9]+(?: [a-z-]+)?)'?:/gm)];
    assert(hinted.length > 20, `only ${hinted.length} were found`);
    const explained = explainedPairs();
    for (const [, pair = ''] of hinted) assert(explained.has(pair), `${pair} is not explained`);
  });

  // What the kernel says is the kernel's; what the monitor and the addon say of themselves is ours to explain.
  it('explains every errno that the native part gives a step itself', () => {
    const failures = allMatches('native', /\bfail\(\s*\w+,\s*"([a-z-]+)",\s*"[^"]*"([^;]*?)\);/gs);
    const explained = explainedPairs();
    const missing: string[] = [];
    let looked = 0;
    for (const [, step = '', rest = ''] of failures) {
      for (const [code] of rest.matchAll(/\bE[A-Z]{3,}\b/g)) {
        looked++;
        const isExplained = explained.has(`${code} ${step}`) || explained.has(`${code} *`);
        if (!isExplained) missing.push(`${code} ${step}`);
      }
    }
    assert(looked > 10, `only ${looked} were found`);
    assert.deepEqual(missing, []);
  });

  it('has every step that an error can carry', () => {
    const native = allMatches('native', /\bfail(?:_with_code)?\(\s*\w+,\s*"([a-z-]+)"/g);
    const ours = allMatches('src', /\bstep: '([a-z-]+)'/g);
    const steps = new Set([...native, ...ours].map(([, step = '']) => step));
    assert(steps.size > 15, `only ${[...steps]} were found`);
    const [, table = ''] = /### Steps\n(.*?)\n## /s.exec(EXPLAINED) ?? [];
    const missing = [...steps].filter((step) => !table.includes(`\`${step}\``));
    assert.deepEqual(missing, []);
  });
});
