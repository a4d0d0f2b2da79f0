/** How a jail of rc.conf(5) stands. */
export interface RcStatus {
  readonly name: string;
  /** `stale`: there is an id file, but no jail of that jid, or another one. */
  readonly state: 'running' | 'stopped' | 'stale';
  /** Of the running jail; of a stale one what the id file says; null: none. */
  readonly jid: number | null;
  /** What the running jail calls itself now, which may be changed from inside; null: it does not run. */
  readonly hostname: string | null;
  readonly path: string;
  readonly idFile: string;
  readonly consoleLog: string;
  /** Did this call start or stop it? It may have been so before. */
  readonly changed: boolean;
}

/** What became of one jail. */
export interface RcResult {
  readonly name: string;
  /** null: it failed. */
  readonly status: RcStatus | null;
  readonly error: Error | null;
}
