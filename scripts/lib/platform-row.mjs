// What README.md and docs/platforms.md say about DragonFly is made of the records, so that nobody claims what was not run.
import { readFileSync, writeFileSync } from 'node:fs';
import { at } from './project.mjs';
import { selftestRecords, suiteRecords } from './records.mjs';

const BEGIN = '<!-- from the records: begin -->';
const END = '<!-- from the records: end -->';
const PLACES = ['README.md', 'docs/platforms.md'];

/** The documents whose text about the records is not what these say, with what it ought to be. */
export function stalePlatformTexts() {
  const told = sentences();
  return PLACES.map((path) => ({ path, text: readFileSync(at(path), 'utf8') }))
    .map(({ path, text }) => ({ path, text, wanted: replaced(path, text, told) }))
    .filter(({ text, wanted }) => text !== wanted);
}

/** Writes them. */
export function writePlatformTexts() {
  const stale = stalePlatformTexts();
  for (const { path, wanted } of stale) writeFileSync(at(path), wanted);
  return stale.map(({ path }) => path);
}

// Wherever the marks are: in a cell of a table they and the text are on one line.
function replaced(path, text, told) {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${path} has no place for what the records say`);
  return `${before}${BEGIN}${told}${END}${after}`;
}

function sentences() {
  const selftests = selftestRecords();
  const suites = suiteRecords();
  return [selftestSentence(selftests), ...suiteSentences(suites)].join(' ');
}

function selftestSentence(records) {
  if (records.length === 0) return 'The self-test of the native part has not been run there.';
  const runs = records.map(
    ({ processors, passed, failed, recorded }) =>
      `${passed} passed and ${failed} failed with ${cpus(processors)} (${day(recorded)})`,
  );
  return `The self-test of the native part on a booted 5.9 kernel: ${runs.join('; ')}.`;
}

function suiteSentences(records) {
  if (records.length === 0)
    return ['**The addon and the TypeScript above it have not been run there.**'];
  return records.map(({ processors, node, system, suites }) => {
    const parts = Object.entries(suites).map(
      ([name, { passed, failed, skipped }]) =>
        `${name} ${passed} passed, ${failed} failed, ${skipped} skipped`,
    );
    const [first] = Object.values(suites);
    return `The suites with Node ${node.slice(1)} on ${system}, ${cpus(processors)}: ${parts.join('; ')} (${day(first?.recorded)}).`;
  });
}

function cpus(count) {
  return count === 1 ? 'one CPU' : `${count} CPUs`;
}

function day(text = '') {
  return text.slice(0, 10);
}
