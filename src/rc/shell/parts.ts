/** A piece of a word: text, or a variable that stands for some. */
export type Part = TextPart | VariablePart;

/** Text as it is to be taken. */
export interface TextPart {
  readonly kind: 'text';
  readonly text: string;
}

/** `$name`, `${name}`, `${name-word}` or `${name:-word}`. */
export interface VariablePart {
  readonly kind: 'variable';
  readonly name: string;
  /** What is taken in its place when it is unset; null: nothing. */
  readonly fallback: readonly Part[] | null;
  /** The fallback is taken for an empty one too. */
  readonly orEmpty: boolean;
  readonly line: number;
}

/** One `name=value`. */
export interface Assignment {
  readonly name: string;
  readonly parts: readonly Part[];
  readonly line: number;
}

/** Builds the parts of a word, neighbouring text as one. */
export class PartList {
  readonly #parts: Part[] = [];
  #text = '';

  /** Puts text at the end. */
  text(text: string): void {
    this.#text += text;
  }

  /** Puts a variable at the end. */
  variable(part: VariablePart): void {
    this.#flush();
    this.#parts.push(part);
  }

  /** What was put together. */
  done(): readonly Part[] {
    this.#flush();
    return this.#parts;
  }

  #flush(): void {
    if (this.#text !== '') this.#parts.push({ kind: 'text', text: this.#text });
    this.#text = '';
  }
}
