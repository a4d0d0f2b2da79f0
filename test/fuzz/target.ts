/** Code that takes bytes from where nobody can be trusted. */
export interface Target {
  readonly name: string;
  /** Inputs to begin with. */
  seeds(): readonly Uint8Array[];
  /** What stands in such inputs. */
  readonly words: readonly (string | Uint8Array)[];
  /** Bytes. */
  readonly maxLength: number;
  /**
   * Gives it one input.
   *
   * @throws what is not the answer that the code promises for nonsense: the fuzzer keeps the input
   */
  run(input: Uint8Array): void;
}
