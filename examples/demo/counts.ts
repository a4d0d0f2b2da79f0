/** How many there are of each kind of thing that a jail adds to the host. */
export type Counts = Readonly<Record<string, number>>;

/** A jail that there will be, or is. */
export interface Watched {
  /** The folder of the host that its root is in. */
  readonly folder: string;
  /** 0: it is not there yet. */
  readonly jid: number;
  readonly registry: string;
}
