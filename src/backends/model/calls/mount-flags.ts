/** `MNT_FORCE`. */
export const MNT_FORCE = 0x80000;
/** `MNT_UPDATE`. */
export const MNT_UPDATE = 0x10000;
/** `MNT_RDONLY`. */
export const MNT_RDONLY = 1;
/** `MNT_NOEXEC`. */
export const MNT_NOEXEC = 4;
