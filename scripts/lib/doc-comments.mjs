// What the doc comments of the public surface lack. Every name that a user can import is looked at, and every member of it.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import ts from 'typescript';
import { at, root } from './project.mjs';

/**
 * What is missing, a line each: `src/jail.ts:12 Jail.open: @param id`.
 *
 * @param {readonly string[]} files the modules whose exports are looked at; those of typedoc.json unless given
 * @returns {{ gaps: string[], looked: number }} the gaps, and how many declarations were looked at
 */
export function documentationGaps(files = entryPoints()) {
  const program = ts.createProgram(files, compilerOptions());
  const surface = new Surface(program.getTypeChecker());
  for (const file of files) surface.lookAtModule(program.getSourceFile(file));
  return { gaps: surface.gaps.sort(), looked: surface.looked };
}

function entryPoints() {
  return JSON.parse(readFileSync(at('typedoc.json'), 'utf8')).entryPoints.map((file) => at(file));
}

function compilerOptions() {
  const { config } = ts.readConfigFile(at('tsconfig.json'), ts.sys.readFile);
  return { ...ts.parseJsonConfigFileContent(config, ts.sys, root).options, noEmit: true };
}

class Surface {
  gaps = [];
  looked = 0;
  #checker;
  #seen = new Set();

  constructor(checker) {
    this.#checker = checker;
  }

  lookAtModule(source) {
    const module = this.#checker.getSymbolAtLocation(source);
    for (const exported of this.#checker.getExportsOfModule(module)) this.#export(exported);
  }

  #export(exported) {
    const { Alias, Module, Class, Function: Callable, Interface, TypeAlias } = ts.SymbolFlags;
    const isAlias = (exported.flags & Alias) !== 0;
    const symbol = isAlias ? this.#checker.getAliasedSymbol(exported) : exported;
    if (this.#seen.has(symbol)) return;
    this.#seen.add(symbol);
    if (symbol.flags & Module) return this.#namespace(symbol);
    this.#documented(symbol, symbol.name);
    if (symbol.flags & Callable) {
      this.#callable(symbol, symbol.name);
      this.#tagged(symbol, symbol.name, 'example');
    }
    if (symbol.flags & Class) this.#class(symbol);
    if (symbol.flags & (Interface | TypeAlias)) this.#members(symbol);
  }

  // `export * as sysctl`
  #namespace(symbol) {
    for (const exported of this.#checker.getExportsOfModule(symbol)) this.#export(exported);
  }

  #class(symbol) {
    this.#tagged(symbol, symbol.name, 'example');
    this.#members(symbol);
    for (const member of symbol.exports?.values() ?? []) this.#member(member, symbol.name);
  }

  #members(symbol) {
    for (const member of symbol.members?.values() ?? []) this.#member(member, symbol.name);
    for (const declaration of symbol.declarations ?? []) {
      if (!ts.isTypeAliasDeclaration(declaration)) continue;
      const { members = [] } = declaration.type;
      for (const { symbol: member } of members) this.#member(member, symbol.name);
    }
  }

  #member(member, owner) {
    if (!isPublic(member)) return;
    const name = `${owner}.${member.name}`;
    const { Method, Constructor } = ts.SymbolFlags;
    // What a constructor is for, its class says.
    if ((member.flags & Constructor) === 0) this.#documented(member, name);
    if (member.flags & (Method | Constructor)) this.#callable(member, name);
  }

  #documented(symbol, name) {
    this.looked++;
    if (symbol.getDocumentationComment(this.#checker).length > 0) return;
    if (!isOfTheLanguage(symbol)) this.#gap(symbol, name, 'what it is');
  }

  #callable(symbol, name) {
    if (isOfTheLanguage(symbol)) return;
    const { documented, wanted, returns } = this.#signatures(symbol);
    for (const parameter of wanted) {
      if (!documented.has(parameter)) this.#gap(symbol, name, `@param ${parameter}`);
    }
    if (returns) this.#tagged(symbol, name, 'returns');
  }

  // Of all overloads: what one says holds for the others.
  #signatures(symbol) {
    const documented = new Set(paramTags(symbol));
    const wanted = new Set();
    let returns = false;
    for (const declaration of symbol.declarations.filter(ts.isFunctionLike)) {
      for (const { name } of declaration.parameters) {
        if (ts.isIdentifier(name)) wanted.add(name.text);
      }
      const signature = this.#checker.getSignatureFromDeclaration(declaration);
      returns ||= !ts.isConstructorDeclaration(declaration) && this.#hasResult(signature);
    }
    return { documented, wanted, returns };
  }

  #hasResult(signature) {
    const type = this.#checker.getReturnTypeOfSignature(signature);
    const text = this.#checker.typeToString(type);
    return !['void', 'Promise<void>', 'this', 'never'].includes(text);
  }

  #tagged(symbol, name, tag) {
    if (!symbol.getJsDocTags(this.#checker).some((other) => other.name === tag)) {
      this.#gap(symbol, name, `@${tag}`);
    }
  }

  #gap(symbol, name, what) {
    const [declaration] = symbol.declarations;
    const source = declaration.getSourceFile();
    const { line } = source.getLineAndCharacterOfPosition(declaration.getStart());
    this.gaps.push(`${relative(root, source.fileName)}:${line + 1} ${name}: ${what}`);
  }
}

// `[Symbol.asyncDispose]` and its kind need no words.
function isOfTheLanguage(symbol) {
  return symbol.name.startsWith('__@');
}

function paramTags(symbol) {
  return symbol.declarations
    .flatMap((declaration) => ts.getJSDocTags(declaration))
    .filter(ts.isJSDocParameterTag)
    .map((tag) => tag.name.getText());
}

function isPublic(symbol) {
  const { Prototype, TypeParameter } = ts.SymbolFlags;
  if (symbol.flags & (Prototype | TypeParameter)) return false;
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || symbol.name.startsWith('#')) return false;
  const { Private, Protected } = ts.ModifierFlags;
  if (ts.getCombinedModifierFlags(declaration) & (Private | Protected)) return false;
  return !ts.getJSDocTags(declaration).some((tag) => tag.tagName.text === 'internal');
}
