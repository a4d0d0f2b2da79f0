import {
  type Codec,
  list,
  MAX_FRAME,
  protocolError,
  str,
  struct,
  u32,
  u64,
  WireReader,
  WireWriter,
} from './wire.js';

// docs/monitor-protocol.md, this side of it. Pure: bytes in, messages out, and the reverse. Both directions of every
// message are here, for the tests and for monitors that are not programs (the model kernel).

/** The version that HELLO and WELCOME carry. */
export const PROTOCOL_VERSION = 1;
/** Descriptors that one message can carry. */
export const MAX_DESCRIPTORS = 64;
/** In the `signal` of SIGNAL: `command` is the id of a SPAWN that was not answered yet. */
export const PENDING_COMMAND = 0x80000000;

/** Flags of {@link HelloBody}: before the answers to CREATE, ATTACH and STOP comes STEPS. */
export const helloFlags = { steps: 1 } as const;
/** Flags of {@link SpecBody}. */
export const specFlags = {
  persist: 1,
  untilEmpty: 2,
  readOnlyRoot: 4,
  noNewPrivileges: 8,
} as const;
/** Flags of {@link CommandBody}. */
export const commandFlags = {
  login: 1,
  terminal: 2,
  searchPath: 4,
  groups: 8,
  defaultPath: 16,
  noNewPrivileges: 32,
} as const;
/** What stands in the `stdio` of {@link CommandBody}, slot by slot. */
export const slotKinds = { closed: 0, null: 1, passed: 2 } as const;
/** How {@link CommandBody} says who the command runs as. */
export const identityKinds = { none: 0, name: 1, id: 2 } as const;

/** The first message of a connection. */
export interface HelloBody {
  readonly version: number;
  readonly flags: number;
}

/** One rlimit; `resource` is an index into the protocol's list. */
export interface LimitBody {
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

/** One mount; `type` and `flags` are the protocol's numbers. */
export interface MountBody {
  readonly type: number;
  readonly target: string;
  readonly source: string;
  readonly flags: number;
  readonly options: string;
}

/** A jail to be made. */
export interface SpecBody {
  readonly stateDir: string;
  readonly path: string;
  readonly hostname: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly scopeids: readonly number[];
  readonly interface: string;
  readonly capabilities: number;
  readonly mounts: readonly MountBody[];
  readonly limits: readonly LimitBody[];
  readonly memory: bigint;
  readonly processes: bigint;
  readonly flags: number;
}

/** A jail to be entered. */
export interface AttachBody {
  readonly stateDir: string;
  readonly jid: number;
}

/** A command to be run. The descriptors travel beside it. */
export interface CommandBody {
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly userKind: number;
  readonly user: string;
  readonly uid: number;
  readonly groupKind: number;
  readonly group: string;
  readonly gid: number;
  readonly limits: readonly LimitBody[];
  readonly flags: number;
  readonly stdio: readonly number[];
  readonly terminalType: string;
  /** With the flag `groups`: beside `gid`, in the place of the user's own. */
  readonly groups: readonly number[];
}

/** A signal for one command. */
export interface SignalBody {
  readonly command: number;
  readonly signal: number;
}

/** The end of a jail. */
export interface StopBody {
  readonly signal: number;
  readonly graceMs: number;
}

/** What later commands may do. */
export interface CapabilitiesBody {
  readonly bits: number;
}

/** The answer to HELLO. */
export interface WelcomeBody {
  readonly version: number;
  readonly monitorPid: number;
}

/** A command that was running before this connection. */
export interface RunningBody {
  readonly command: number;
  readonly pid: number;
  readonly jailPid: number;
  /** µs since 1970. */
  readonly start: bigint;
  readonly file: string;
  readonly argv: readonly string[];
}

/** The jail is there. */
export interface ReadyBody {
  readonly jid: number;
  /** 0: none. */
  readonly anchorPid: number;
  readonly owned: number;
  readonly running: readonly RunningBody[];
}

/** What was asked for did not work out, and nothing of it is left. */
export interface FailedBody {
  /** The system's number; 0 beside a code. */
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;
  readonly step: string;
  readonly path: string;
  readonly detail: string;
}

/** The command runs: exec has succeeded. */
export interface SpawnedBody {
  readonly command: number;
  readonly pid: number;
  readonly jailPid: number;
}

/** A command has ended. Times are µs. */
export interface ExitedBody {
  readonly command: number;
  readonly status: number;
  readonly userTime: bigint;
  readonly systemTime: bigint;
  readonly maxRss: bigint;
  readonly wallTime: bigint;
}

/** One step that was done. */
export interface StepBody {
  /** As errors name it. */
  readonly step: string;
  /** ns. */
  readonly time: bigint;
}

/** How long each step of what is answered next has taken, in their order. */
export interface StepsBody {
  readonly steps: readonly StepBody[];
}

/** The jail has ended without being asked to. */
export interface GoneBody {
  readonly reason: string;
}

/** A message without fields. */
export type EmptyBody = Readonly<Record<never, never>>;

/** Every message by name. */
export interface Messages {
  hello: HelloBody;
  create: SpecBody;
  attach: AttachBody;
  spawn: CommandBody;
  signal: SignalBody;
  stop: StopBody;
  capabilities: CapabilitiesBody;
  welcome: WelcomeBody;
  ready: ReadyBody;
  failed: FailedBody;
  spawned: SpawnedBody;
  exited: ExitedBody;
  done: EmptyBody;
  stopped: EmptyBody;
  gone: GoneBody;
  steps: StepsBody;
}

/** The name of a message. */
export type MessageName = keyof Messages;

/** A message that Node sends and the monitor answers. */
export type RequestName =
  | 'hello'
  | 'create'
  | 'attach'
  | 'spawn'
  | 'signal'
  | 'stop'
  | 'capabilities';

/** One decoded message. */
export type Message = {
  [K in MessageName]: { readonly name: K; readonly id: number; readonly body: Messages[K] };
}[MessageName];

interface MessageCodec<T> {
  readonly type: number;
  readonly body: Codec<T>;
}

const limit = struct<LimitBody>({ resource: u32, soft: u64, hard: u64 });

const strs = list(str);
const numbers = list(u32);
const limits = list(limit);

const mount = struct<MountBody>({
  type: u32,
  target: str,
  source: str,
  flags: u32,
  options: str,
});

const spec = struct<SpecBody>({
  stateDir: str,
  path: str,
  hostname: str,
  name: str,
  addresses: strs,
  scopeids: numbers,
  interface: str,
  capabilities: u32,
  mounts: list(mount),
  limits,
  memory: u64,
  processes: u64,
  flags: u32,
});

// What comes with every command is written out: a list of fields takes twice the time.
const command: Codec<CommandBody> = {
  write: (writer, body) => {
    writer.str(body.file);
    strs.write(writer, body.argv);
    strs.write(writer, body.env);
    writer.str(body.cwd);
    writer.u32(body.userKind);
    writer.str(body.user);
    writer.u32(body.uid);
    writer.u32(body.groupKind);
    writer.str(body.group);
    writer.u32(body.gid);
    limits.write(writer, body.limits);
    writer.u32(body.flags);
    numbers.write(writer, body.stdio);
    writer.str(body.terminalType);
    numbers.write(writer, body.groups);
  },
  read: (reader) => ({
    file: reader.str(),
    argv: strs.read(reader),
    env: strs.read(reader),
    cwd: reader.str(),
    userKind: reader.u32(),
    user: reader.str(),
    uid: reader.u32(),
    groupKind: reader.u32(),
    group: reader.str(),
    gid: reader.u32(),
    limits: limits.read(reader),
    flags: reader.u32(),
    stdio: numbers.read(reader),
    terminalType: reader.str(),
    groups: numbers.read(reader),
  }),
};

const running = struct<RunningBody>({
  command: u32,
  pid: u32,
  jailPid: u32,
  start: u64,
  file: str,
  argv: strs,
});

const ready = struct<ReadyBody>({ jid: u32, anchorPid: u32, owned: u32, running: list(running) });

const failed = struct<FailedBody>({
  errno: u32,
  code: str,
  syscall: str,
  step: str,
  path: str,
  detail: str,
});

const spawned: Codec<SpawnedBody> = {
  write: (writer, { command, pid, jailPid }) => {
    writer.u32(command);
    writer.u32(pid);
    writer.u32(jailPid);
  },
  read: (reader) => ({ command: reader.u32(), pid: reader.u32(), jailPid: reader.u32() }),
};

const exited: Codec<ExitedBody> = {
  write: (writer, { command, status, userTime, systemTime, maxRss, wallTime }) => {
    writer.u32(command);
    writer.u32(status);
    writer.u64(userTime);
    writer.u64(systemTime);
    writer.u64(maxRss);
    writer.u64(wallTime);
  },
  read: (reader) => ({
    command: reader.u32(),
    status: reader.u32(),
    userTime: reader.u64(),
    systemTime: reader.u64(),
    maxRss: reader.u64(),
    wallTime: reader.u64(),
  }),
};

const step = struct<StepBody>({ step: str, time: u64 });

const empty = struct<EmptyBody>({});

const codecs: { readonly [K in MessageName]: MessageCodec<Messages[K]> } = {
  hello: { type: 1, body: struct<HelloBody>({ version: u32, flags: u32 }) },
  create: { type: 2, body: spec },
  attach: { type: 3, body: struct<AttachBody>({ stateDir: str, jid: u32 }) },
  spawn: { type: 4, body: command },
  signal: { type: 5, body: struct<SignalBody>({ command: u32, signal: u32 }) },
  stop: { type: 6, body: struct<StopBody>({ signal: u32, graceMs: u32 }) },
  capabilities: { type: 7, body: struct<CapabilitiesBody>({ bits: u32 }) },
  welcome: { type: 101, body: struct<WelcomeBody>({ version: u32, monitorPid: u32 }) },
  ready: { type: 102, body: ready },
  failed: { type: 103, body: failed },
  spawned: { type: 104, body: spawned },
  exited: { type: 105, body: exited },
  done: { type: 106, body: empty },
  stopped: { type: 107, body: empty },
  gone: { type: 108, body: struct<GoneBody>({ reason: str }) },
  steps: { type: 109, body: struct<StepsBody>({ steps: list(step) }) },
};

/** All names, in the order of their numbers. */
export const messageNames = Object.keys(codecs) as MessageName[];

const namesByType = new Map(messageNames.map((name) => [codecs[name].type, name]));

const LENGTH_SIZE = 4;
const HEADER_SIZE = 8;

/**
 * Writes one message as a frame, its length field included.
 *
 * @param writer an empty one
 * @param name which message
 * @param id   the request's number, 0 to 2^32-1
 * @param body its fields; strings without NUL
 * @throws JailError `ERR_JAIL_PROTOCOL` when it is longer than a frame can be
 */
export function writeMessage<K extends MessageName>(
  writer: WireWriter,
  name: K,
  id: number,
  body: Messages[K],
): void {
  const codec = codecs[name];
  writer.u32(0);
  writer.u16(codec.type);
  writer.u16(0);
  writer.u32(id);
  codec.body.write(writer, body);
  const length = writer.size - LENGTH_SIZE;
  if (length > MAX_FRAME) throw protocolError(`a message of ${length} bytes is too long`);
  writer.patch(0, length);
}

/** As {@link writeMessage}, in memory of its own. */
export function encodeMessage<K extends MessageName>(
  name: K,
  id: number,
  body: Messages[K],
): Buffer {
  const writer = new WireWriter();
  writeMessage(writer, name, id, body);
  return writer.bytes.subarray(0, writer.size);
}

/**
 * The message in a frame.
 *
 * @param frame what follows the length field
 * @throws JailError `ERR_JAIL_PROTOCOL` for anything that is not exactly one message
 */
export function decodeMessage(frame: Uint8Array): Message {
  return readMessage(new WireReader(frame));
}

function readMessage(reader: WireReader): Message {
  const type = reader.u16();
  const name = namesByType.get(type);
  if (name === undefined || reader.u16() !== 0) throw protocolError(`message type ${type}`);
  const id = reader.u32();
  const body = codecs[name].body.read(reader);
  reader.finish();
  return { name, id, body } as Message;
}

const NOTHING = Buffer.alloc(0);

/** Takes the messages out of a stream of bytes. */
export class MessageSplitter {
  readonly #inbox: Buffer;
  readonly #reader: WireReader;
  readonly #take: (message: Message) => void;
  /** The beginning of a message. */
  #rest: Buffer = NOTHING;

  /**
   * @param inbox where the bytes of the stream come in, each time from its beginning on
   * @param take  is given every message that is complete
   */
  constructor(inbox: Buffer, take: (message: Message) => void) {
    this.#inbox = inbox;
    this.#reader = new WireReader(inbox);
    this.#take = take;
  }

  /**
   * @param size how many bytes have come in; they may be written over afterwards
   * @throws JailError `ERR_JAIL_PROTOCOL` for a length that no frame has, and for what is no message
   */
  push(size: number): void {
    if (this.#rest.length === 0) {
      const at = this.#split(this.#reader, size);
      if (at < size) this.#rest = Buffer.from(this.#inbox.subarray(at, size));
      return;
    }
    const bytes = Buffer.concat([this.#rest, this.#inbox.subarray(0, size)]);
    const at = this.#split(new WireReader(bytes), bytes.length);
    this.#rest = at === bytes.length ? NOTHING : bytes.subarray(at);
  }

  // To where it has come.
  #split(reader: WireReader, size: number): number {
    let at = 0;
    while (size - at >= LENGTH_SIZE) {
      const start = at + LENGTH_SIZE;
      reader.open(at, start);
      const length = reader.u32();
      if (length < HEADER_SIZE || length > MAX_FRAME) {
        throw protocolError(`a frame of ${length} bytes`);
      }
      if (size - start < length) break;
      at = start + length;
      reader.open(start, at);
      this.#take(readMessage(reader));
    }
    return at;
  }
}
