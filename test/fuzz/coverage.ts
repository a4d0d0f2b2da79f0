import { Session } from 'node:inspector';

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** Which blocks of the package's code have run, as V8 counts them: by its own debugger protocol, without changing the code. */
export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  readonly #package: string;

  /** @param folder only modules below this URL count */
  constructor(folder: string) {
    this.#package = folder;
    this.#session.connect();
    this.#ask('Profiler.enable');
    this.#ask('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many blocks have ever run. */
  get size(): number {
    return this.#seen.size;
  }

  /** The blocks that ran since the last time. Costs as much as a hundred runs of a small parser. */
  take(): string[] {
    const { result } = this.#ask('Profiler.takePreciseCoverage') as { result: ScriptCoverage[] };
    return result.filter(({ url }) => url.startsWith(this.#package)).flatMap(blocksOf);
  }

  /** Are there blocks among these that were not known? Leaves it so. */
  hasNew(blocks: readonly string[]): boolean {
    return blocks.some((block) => !this.#seen.has(block));
  }

  /** Counts blocks as known. */
  learn(blocks: readonly string[]): void {
    for (const block of blocks) this.#seen.add(block);
  }

  // In one's own thread the answer is there before post() returns.
  #ask(method: string, parameters: object = {}): unknown {
    let answer: unknown;
    this.#session.post(method, parameters, (error: Error | null, result?: object) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  }
}

function blocksOf({ url, functions }: ScriptCoverage): string[] {
  const ranges = functions.flatMap((one) => one.ranges);
  const ran = ranges.filter(({ count }) => count > 0);
  return ran.map(({ startOffset, endOffset }) => `${url}:${startOffset}-${endOffset}`);
}
