/** What is said where an archive cannot be written to standard output, or read from standard input. */
export const streamTexts = {
  outputIsTerminal:
    'Standard output is a terminal, and an archive is not for reading: send it into a file or a program, as in ' +
    '`backup create --output - > backup.zip`. With docker compose run, give -T.',
  inputIsTerminal:
    'Standard input is a terminal: the archive has to come from a file or a program, as in `restore - --yes < backup.zip`. ' +
    'With docker compose run, give -T; with docker run, -i and not -t.',
  noQuestion:
    'The archive comes on standard input, so that nobody can be asked there: give --yes if it is to take the place of the ' +
    'database, or --dry-run to try it out first. Nothing was read.',
  noJson: 'The archive goes to standard output: leave out --json.',
  noKeep: 'An archive that goes to standard output is not in the backup folder: leave out --keep and --since.',
} as const;
