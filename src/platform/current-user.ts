/** The user that this process runs as, for messages: `uid 1000, gid 1000`. */
export function currentUser(): string {
  return `uid ${process.getuid?.() ?? 'unknown'}, gid ${process.getgid?.() ?? 'unknown'}`;
}
