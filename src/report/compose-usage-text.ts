/** Why a file is none that `compose` can read. */
export type ComposeFault = { readonly kind: 'no-yaml'; readonly reason: string } | { readonly kind: 'no-services' };

/** What is said where `compose` has nothing to work with. */
export const composeUsage = {
  noFile: 'Give the compose files, or one on standard input: db-init compose < docker-compose.yml',
  unreadable: (file: string, reason: string): string => `The file ${file} cannot be read: ${reason}.`,
  /** @param file null for standard input */
  noComposeFile(file: string | null, fault: ComposeFault): string {
    const called = file ?? 'standard input';
    return fault.kind === 'no-services' ? `${called} has no services.` : `${called} is not YAML: ${fault.reason}.`;
  },
  /** @param candidates services that look like the application */
  unclear(candidates: readonly string[], services: readonly string[]): string {
    const found =
      candidates.length > 0 ? `These look alike: ${candidates.join(', ')}.` : `There are: ${services.join(', ')}.`;
    return `Which service is TimeTracker? ${found} Name it: db-init compose --service NAME`;
  },
};
