// The public surface as text: one report for each entry point, of all declarations that its users can reach.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at } from './project.mjs';

const QUIET = { default: { logLevel: 'none' } };

/** Where the reports are kept. */
export const REPORTS = 'api';

/**
 * The reports of the compiled library (dist has to be there), as they ought to be.
 *
 * @returns {Map<string, string>} by the names of their files
 */
export function apiReports() {
  const folder = mkdtempSync(join(tmpdir(), 'dragonfly-jail-api-'));
  try {
    for (const [name, types] of entryPoints()) writeReport(name, types, folder);
    const names = readdirSync(folder).filter((file) => file.endsWith('.md'));
    return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The reports in the repository that are not what they ought to be; null is one that is not there. */
export function staleReports(reports) {
  const kept = existsSync(at(REPORTS)) ? readdirSync(at(REPORTS)) : [];
  const names = [...new Set([...kept, ...reports.keys()])].sort();
  return names
    .map((name) => ({ name, kept: contentOf(name), wanted: reports.get(name) ?? null }))
    .filter(({ kept, wanted }) => kept !== wanted);
}

function contentOf(name) {
  const file = at(REPORTS, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function entryPoints() {
  const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  return Object.entries(exports)
    .filter(([, target]) => target.types !== undefined)
    .map(([name, { types }]) => [name === '.' ? 'index' : name.slice(2), at(types)]);
}

function writeReport(name, types, folder) {
  // Loaded only here: it brings a compiler with it.
  const { Extractor, ExtractorConfig } = createRequire(import.meta.url)('@microsoft/api-extractor');
  const configObject = {
    projectFolder: at(),
    mainEntryPointFilePath: types,
    compiler: { tsconfigFilePath: at('tsconfig.json') },
    apiReport: {
      enabled: true,
      reportFileName: name,
      reportFolder: folder,
      reportTempFolder: join(folder, 'temp'),
      includeForgottenExports: true,
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    // What the compiler says of dist is what it has said of src.
    messages: {
      compilerMessageReporting: QUIET,
      extractorMessageReporting: QUIET,
      tsdocMessageReporting: QUIET,
    },
  };
  const config = ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: undefined,
    packageJsonFullPath: at('package.json'),
  });
  Extractor.invoke(config, { localBuild: true, messageCallback: silence });
}

function silence(message) {
  message.handled = true;
}
