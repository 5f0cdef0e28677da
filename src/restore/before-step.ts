/**
 * Asks, before one step, whether this run may still take it. What keeps runs apart is a session of the database too, and
 * one can end while its run is stopped (SIGSTOP, a paused container): two runs would move the same files then.
 * @throws Failure `restore-refused` (`taken-over`)
 */
export type BeforeStep = () => void;

/** Where nobody else can be at work. */
export const alone: BeforeStep = () => undefined;
