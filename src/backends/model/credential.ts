import type { Prison } from './prison.js';

/** Who a process is. Never changed: a change makes a new one. */
export interface Credential {
  /** Effective. */
  readonly uid: number;
  readonly ruid: number;
  readonly svuid: number;
  /** Effective, the first of the groups. */
  readonly gid: number;
  readonly rgid: number;
  readonly svgid: number;
  readonly groups: readonly number[];
  readonly prison: Prison | null;
}

export const rootCredential: Credential = {
  uid: 0,
  ruid: 0,
  svuid: 0,
  gid: 0,
  rgid: 0,
  svgid: 0,
  groups: [0],
  prison: null,
};

/** Does the first see the second? Those in a jail see their own jail only. */
export function sees(observer: Credential, other: Credential): boolean {
  return observer.prison === null || observer.prison === other.prison;
}
