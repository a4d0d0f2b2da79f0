import type { CapabilityName } from '../../capabilities.js';

/** Where a field is in a structure: its offset and its size, in bytes. */
export type FieldPlace = readonly [offset: number, size: number];

/** One C structure. */
export interface StructLayout<Field extends string> {
  /** `sizeof`, in bytes. */
  readonly size: number;
  /** Those that are read by name, and any others. */
  readonly fields: Readonly<Record<Field, FieldPlace>> & Readonly<Record<string, FieldPlace>>;
}

/** Fields of `struct kinfo_proc` that are read. */
export type KinfoProcField =
  | 'kp_flags'
  | 'kp_stat'
  | 'kp_siglist'
  | 'kp_start'
  | 'kp_comm'
  | 'kp_uid'
  | 'kp_ngroups'
  | 'kp_groups'
  | 'kp_ruid'
  | 'kp_svuid'
  | 'kp_rgid'
  | 'kp_svgid'
  | 'kp_pid'
  | 'kp_ppid'
  | 'kp_pgid'
  | 'kp_jobc'
  | 'kp_sid'
  | 'kp_login'
  | 'kp_tdev'
  | 'kp_tpgid'
  | 'kp_exitstat'
  | 'kp_nthreads'
  | 'kp_nice'
  | 'kp_vm_map_size'
  | 'kp_vm_rssize'
  | 'kp_jailid'
  | 'kp_ru'
  | 'kp_auxflags'
  | 'kp_lwp'
  | 'kp_ktaddr';

/** Fields of `struct kinfo_lwp` that are read. */
export type KinfoLwpField =
  | 'kl_pid'
  | 'kl_tid'
  | 'kl_flags'
  | 'kl_stat'
  | 'kl_uticks'
  | 'kl_sticks'
  | 'kl_cpuid'
  | 'kl_wmesg'
  | 'kl_comm';

/**
 * The sizes, offsets and numbers that a kernel was compiled with. They change between releases: a codec never gets
 * bytes without the layout that they have.
 */
export interface KernelLayout {
  readonly structs: {
    readonly jail: StructLayout<'version' | 'path' | 'hostname' | 'n_ips' | 'ips'>;
    readonly jailV0: StructLayout<'version' | 'path' | 'hostname' | 'ip_number'>;
    readonly sockaddrStorage: StructLayout<'ss_len' | 'ss_family'>;
    readonly sockaddrIn: StructLayout<'sin_len' | 'sin_family' | 'sin_port' | 'sin_addr'>;
    readonly sockaddrIn6: StructLayout<
      'sin6_len' | 'sin6_family' | 'sin6_port' | 'sin6_addr' | 'sin6_scope_id'
    >;
    readonly sockaddrUn: StructLayout<'sun_len' | 'sun_family' | 'sun_path'>;
    readonly kinfoProc: StructLayout<KinfoProcField>;
    readonly kinfoLwp: StructLayout<KinfoLwpField>;
    readonly timeval: StructLayout<'tv_sec' | 'tv_usec'>;
    readonly rusage: StructLayout<'ru_utime'>;
  };
  /** Address families. */
  readonly families: {
    readonly unspecified: number;
    readonly unix: number;
    readonly inet: number;
    readonly inet6: number;
    readonly link: number;
    readonly route: number;
  };
  /** Bytes with the NUL (`hostname`, `path`) or without it (`command`); `groups` is a count. */
  readonly limits: {
    readonly hostname: number;
    readonly path: number;
    readonly command: number;
    readonly groups: number;
  };
  /** Bytes. */
  readonly pageSize: number;
  /** Bit numbers of the capability word, where the header has them. */
  readonly capabilityBits: Readonly<Partial<Record<CapabilityName, number>>>;
  /** Error numbers by name, see errno(2). */
  readonly errno: Readonly<Record<string, number>>;
  /** Signal numbers by name, see sigaction(2). */
  readonly signals: Readonly<Record<string, number>>;
  /** `P_…` of `kp_flags`. */
  readonly processFlags: Readonly<Record<string, number>>;
}
