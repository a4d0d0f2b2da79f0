import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const SRC = fileURLToPath(new URL('../../../src', import.meta.url));

// How all of the package checks arguments and words what is wrong with them; nothing is done to a jail there.
const CHECKS = [
  '../errors.js',
  '../link-error.js',
  '../validate.js',
  '../spawn-options.js',
  '../stop-options.js',
];

// How all of the package opens files where a jail may be able to put a link.
const FILES = ['../files/below.js', '../files/changeable.js'];

interface Import {
  readonly from: string;
  readonly names: readonly string[];
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022);
}

function importsOf(file: string): Import[] {
  return parse(file)
    .statements.filter(ts.isImportDeclaration)
    .map((statement) => {
      const bindings = statement.importClause?.namedBindings;
      const elements = bindings && ts.isNamedImports(bindings) ? bindings.elements : [];
      return {
        from: (statement.moduleSpecifier as ts.StringLiteral).text,
        names: elements.map(({ propertyName, name }) => (propertyName ?? name).text),
      };
    });
}

function publicNames(): Set<string> {
  const exports = parse(join(SRC, 'index.ts')).statements.filter(ts.isExportDeclaration);
  const names = exports.flatMap(({ exportClause }) =>
    exportClause && ts.isNamedExports(exportClause) ? [...exportClause.elements] : [],
  );
  return new Set(names.map(({ name }) => name.text));
}

describe('the supervisor', () => {
  it('is made of the public API alone, but for the checks of arguments and careful files', () => {
    const allowed = publicNames();
    assert(allowed.has('Jail'));
    const folder = join(SRC, 'supervisor');
    const files = readdirSync(folder);
    assert(files.length > 5);
    for (const file of files) {
      for (const { from, names } of importsOf(join(folder, file))) {
        if (!from.startsWith('../') || [...CHECKS, ...FILES].includes(from)) continue;
        for (const name of names) assert(allowed.has(name), `${file} imports ${name} of ${from}`);
      }
    }
  });
});
