// The manifest of a folder in prebuilds/: what is in it, for what it was made, and the files' hashes.
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'manifest.json';

/** Writes it for the files that lie in the folder. */
export function writeManifest(folder, about, names) {
  const files = Object.fromEntries(names.map((name) => [name, describe(join(folder, name))]));
  writeFileSync(join(folder, NAME), `${JSON.stringify({ ...about, files }, null, 2)}\n`);
}

/** What is wrong with the folder, by its own manifest; null: nothing. */
export function problemOf(folder, tuple) {
  let manifest;
  try {
    manifest = JSON.parse(readFileSync(join(folder, NAME), 'utf8'));
  } catch (error) {
    return `no manifest: ${error.message}`;
  }
  if (manifest.tuple !== tuple) return `it is for ${manifest.tuple}, not for ${tuple}`;
  for (const [name, { sha256 }] of Object.entries(manifest.files)) {
    if (hashOf(join(folder, name)) !== sha256) return `${name} is not what it was made as`;
  }
  return null;
}

function describe(file) {
  return { bytes: statSync(file).size, sha256: hashOf(file) };
}

function hashOf(file) {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return null;
  }
}
