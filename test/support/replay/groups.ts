import type { Row } from '../recordings.js';
import { attempts, replayAttach } from './attach.js';
import { replayJidRestart, replayMountNames } from './boots.js';
import { replayConnections } from './connections.js';
import { entries, replayCwd } from './cwd.js';
import { replayFs, replayMounts, replayProcfs } from './files.js';
import { replayHostname, replaySignals, replayUids } from './inside.js';
import { replayJailArgs } from './jail-args.js';
import { replayJidWrap, replayLifetime } from './lifetime.js';
import { replayListenOverride, replayTimeWait } from './listeners.js';
import { replayListOrder } from './lists.js';
import { replayMisc } from './misc.js';
import { replayNet, replayNetDomains } from './net.js';
import { replayKinfo, replayLwp, replayZombie } from './processes.js';
import { replayPtys } from './ptys.js';
import { Replay, type Replayed, type Sections, sectionsOf, UNKNOWN } from './replay.js';
import { replaySysctl } from './sysctl.js';
import { replayThreads } from './threads.js';
import { replayTracing } from './tracing.js';

/** How a group is replayed. */
interface GroupReplay {
  readonly run: (replay: Replay) => void;
  readonly sections?: Sections;
}

const REPLAYS: Readonly<Record<string, GroupReplay>> = {
  'jail-args': { run: replayJailArgs },
  'list-order': { run: replayListOrder },
  sysctl: { run: replaySysctl },
  jail_attach: { run: replayAttach, sections: attempts },
  lifetime: { run: replayLifetime },
  hostname: { run: replayHostname },
  uids: { run: replayUids },
  'jid-wrap': { run: replayJidWrap },
  zombie: { run: replayZombie },
  signals: { run: replaySignals },
  kinfo: { run: replayKinfo },
  lwp: { run: replayLwp },
  net: { run: replayNet },
  'net-domains': { run: replayNetDomains },
  'listen-override': { run: replayListenOverride },
  timewait: { run: replayTimeWait },
  cwd: { run: replayCwd, sections: entries },
  threads: { run: replayThreads },
  fs: { run: replayFs },
  mounts: { run: replayMounts },
  procfs: { run: replayProcfs },
  misc: { run: replayMisc },
  connections: { run: replayConnections },
  tracing: { run: replayTracing },
  ptys: { run: replayPtys },
  'jid-restart': { run: replayJidRestart },
  'mount-names': { run: replayMountNames },
};

/** The groups that there are replays for. */
export const replayedGroups: readonly string[] = Object.keys(REPLAYS);

/** The section of each case of a group; empty: none. */
export function sectionsIn(rows: readonly Row[]): string[] {
  return sectionsOf(rows, REPLAYS[rows[0]?.group ?? '']?.sections);
}

/** Replays the cases of a group, boot by boot. */
export function replayGroup(group: string, rows: readonly Row[]): Replayed {
  const replayed = REPLAYS[group];
  if (replayed === undefined) return unknown(rows);
  const boots = new Set(rows.map(({ boot }) => boot));
  const all = [...boots].map((boot) => {
    const replay = new Replay(
      rows.filter((row) => row.boot === boot),
      replayed.sections,
    );
    replayed.run(replay);
    return replay.finish();
  });
  return {
    replayed: all.reduce((sum, one) => sum + one.replayed, 0),
    leftOut: all.flatMap(({ leftOut }) => leftOut),
    differences: all.flatMap(({ differences }) => differences),
    jidsBetween: all.reduce((sum, one) => sum + one.jidsBetween, 0),
  };
}

function unknown(rows: readonly Row[]): Replayed {
  const leftOut = rows.map((row) => ({ group: row.group, case: row.case, reason: UNKNOWN }));
  return { replayed: 0, leftOut, differences: [], jidsBetween: 0 };
}
