// A file that compiles is a test that passed: nothing of this folder is ever run.

/** True when two types are the same, `any` told apart from everything else. */
export type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only with a type argument that is true. */
export function holds<_Claim extends true>(): void {}
