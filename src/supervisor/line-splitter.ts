import { StringDecoder } from 'node:string_decoder';

/** Characters after which a line is told in pieces: what a jail writes must not fill this program's memory. */
const MAX_LINE = 64 * 1024;

/** Makes lines of pieces. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #tell: (line: string) => void;
  #rest = '';

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  push(chunk: Buffer): void {
    this.#take(this.#decoder.write(chunk));
  }

  /** Tells what has no end of line. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== '') this.#tell(this.#rest);
    this.#rest = '';
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#tell(line.endsWith('\r') ? line.slice(0, -1) : line);
    while (this.#rest.length > MAX_LINE) {
      this.#tell(this.#rest.slice(0, MAX_LINE));
      this.#rest = this.#rest.slice(MAX_LINE);
    }
  }
}
