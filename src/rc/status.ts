/** How a jail of rc.conf(5) stands. */
export interface RcStatus {
  /** As in jail_list. */
  readonly name: string;
  /** `stale`: there is an id file, but no jail of that jid, or another one. */
  readonly state: 'running' | 'stopped' | 'stale';
  /** Of the running jail; of a stale one what the id file says; null: none. */
  readonly jid: number | null;
  /** What the running jail calls itself now, which may be changed from inside; null: it does not run. */
  readonly hostname: string | null;
  /** The root, on the host. */
  readonly path: string;
  /** The file that keeps the jid: `/var/run/jail_<name>.id`. */
  readonly idFile: string;
  /** The file that has what exec_start and exec_stop wrote. */
  readonly consoleLog: string;
  /** Did this call start or stop it? It may have been so before. */
  readonly changed: boolean;
}

/** What became of one jail. */
export interface RcResult {
  /** As in jail_list. */
  readonly name: string;
  /** null: it failed. */
  readonly status: RcStatus | null;
  /** Why it failed; null: it did not. */
  readonly error: Error | null;
}
