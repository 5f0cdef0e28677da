/** The exit codes of db-init. Compose files and scripts depend on them. */
export const exitCodes = {
  healthy: 0,
  unexpected: 1,
  usage: 2,
  unreachable: 3,
  accessDenied: 4,
  locked: 5,
  corrupted: 10,
  partial: 11,
  unversioned: 12,
  ahead: 13,
  drifted: 14,
  foreign: 15,
  unexpectedlyEmpty: 16,
  unreadable: 17,
  migrationFailed: 20,
  verificationFailed: 21,
  backupFailed: 30,
  restoreRefused: 31,
  archiveRejected: 32,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
