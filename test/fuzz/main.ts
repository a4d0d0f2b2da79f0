// node build/test/fuzz/main.js TARGET --seconds N [--corpus FOLDER] [--keep] [--seed N]: feeds one target with changed
// inputs. The corpus is read, and with --keep written anew. What is answered wrongly is put into build/findings.
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { keepInput, readCorpus, writeCorpus } from './corpus.js';
import { Coverage } from './coverage.js';
import { fuzz, type Outcome } from './fuzzer.js';
import { Random } from './random.js';
import { targetOf } from './targets/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    corpus: { type: 'string' },
    keep: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
});
const target = targetOf(positionals[0] ?? '');
const folder = values.corpus ?? `test/fixtures/corpus/${target.name}`;
const seed = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
const coverage = new Coverage(pathToFileURL('dist').href);
const kept = readCorpus(folder);
const outcome = fuzz(target, kept, Number(values.seconds), coverage, new Random(seed));
tell(outcome);
if (values.keep) writeCorpus(folder, outcome.corpus);

function tell({ runs, seconds, blocks, corpus, finding }: Outcome): void {
  const inputs = `${kept.length} inputs kept, ${corpus.length} needed`;
  console.log(
    `${target.name}: ${runs} runs in ${seconds.toFixed(1)} s, ${blocks} blocks, ${inputs}, seed ${seed}`,
  );
  if (finding === null) return;
  const file = keepInput('build/findings', finding.input);
  console.log(`the input in ${file} is answered wrongly:`);
  console.log(finding.error);
  process.exitCode = 1;
}
