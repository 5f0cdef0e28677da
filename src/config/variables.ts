import { closeSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';

import { settingFaults } from '../report/setting-faults.ts';
import type { Findings } from './configuration-error.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A value, and the variable that it came from, for faults. */
export interface Setting {
  readonly variable: string;
  readonly value: string;
}

/** A variable as a shell and compose write it: nothing replaces it in a file for `docker run --env-file`. */
export const placeholderPattern = /\$\{[A-Za-z_]\w*(?::?[-?+][^}]*)?\}/;

/** Typed access to the environment. An invalid value becomes a fault; an empty variable counts as unset. */
export interface Variables {
  /** The names of all variables that were looked up. */
  readonly names: ReadonlySet<string>;
  /** Whether the variable or its `_FILE` variable is set. */
  has(variable: string): boolean;
  text(variable: string): Setting | undefined;
  /** The variable, or the contents of the file that `<variable>_FILE` names, less one line break at the end. */
  secret(variable: string): Setting | undefined;
  flag(variable: string): boolean;
  /** Whole seconds, 0 to 86400. */
  seconds(variable: string, otherwise: number): number;
  /** A whole number from 1 to 999999999. */
  number(variable: string, otherwise: number): number;
  /** One of the words in any case; the first is the default. */
  choice<Word extends string>(variable: string, words: readonly [Word, ...Word[]]): Word;
}

const longestSeconds = 86_400;
const booleanWords: ReadonlyMap<string, boolean> = new Map([
  ...['1', 'true', 'yes', 'on'].map((word) => [word, true] as const),
  ...['0', 'false', 'no', 'off'].map((word) => [word, false] as const),
]);

/** A whole number in decimal digits within the limits, or undefined. */
export function wholeNumber(text: string, least: number, most: number): number | undefined {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}

/** Bytes: more than any secret or bundle of certificates. A device may have no end. */
const longestFile = 4 * 1024 * 1024;

/** The contents of a text file, or why it cannot be read. */
export function readText(path: string): { kind: 'text'; text: string } | { kind: 'unreadable'; reason: string } {
  try {
    const bytes = readBeginning(path, longestFile + 1);
    if (bytes.length > longestFile) return { kind: 'unreadable', reason: settingFaults.longFile(longestFile) };
    return { kind: 'text', text: bytes.toString('utf8') };
  } catch (error) {
    // "ENOENT: no such file or directory, open '…'": the caller names the path.
    return {
      kind: 'unreadable',
      reason: String(error)
        .replace(/^Error: /, '')
        .replace(/,.*/s, ''),
    };
  }
}

/** Also reads files of unknown length: a pipe, a device, a file of the kernel. */
function readBeginning(path: string, most: number): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(most);
    let length = 0;
    for (let read = -1; read !== 0 && length < most; length += read) {
      read = readSync(descriptor, bytes, length, most - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Reads variables of `environment`; relative paths of secret files start at `workingDirectory`. */
export function variablesOf(environment: Environment, workingDirectory: string, findings: Findings): Variables {
  const names = new Set<string>();
  const text = (variable: string): Setting | undefined => {
    names.add(variable);
    const value = environment[variable];
    return value === undefined || value === '' ? undefined : { variable, value };
  };
  const word = (variable: string): string => text(variable)?.value.trim().toLowerCase() ?? '';

  return {
    names,
    text,
    has: (variable) => (text(variable) ?? text(`${variable}_FILE`)) !== undefined,
    secret(variable) {
      const plain = text(variable);
      const file = text(`${variable}_FILE`);
      if (file === undefined) return plain;
      if (plain === undefined) return readSecret(file, workingDirectory, findings);
      return findings.fault(file.variable, settingFaults.bothSet(variable));
    },
    flag(variable) {
      const found = word(variable);
      if (found === '') return false;
      return (
        booleanWords.get(found) ??
        findings.fault(variable, settingFaults.expected(found, [...booleanWords.keys()].join(', '))) ??
        false
      );
    },
    seconds(variable, otherwise) {
      const found = word(variable);
      if (found === '') return otherwise;
      const fault = settingFaults.wholeSeconds(found, longestSeconds);
      return wholeNumber(found, 0, longestSeconds) ?? findings.fault(variable, fault) ?? otherwise;
    },
    number(variable, otherwise) {
      const found = word(variable);
      if (found === '') return otherwise;
      const fault = settingFaults.wholeNumber(found);
      return wholeNumber(found, 1, 999_999_999) ?? findings.fault(variable, fault) ?? otherwise;
    },
    choice(variable, words) {
      const found = word(variable);
      if (found === '') return words[0];
      const chosen = words.find((candidate) => candidate === found);
      return chosen ?? findings.fault(variable, settingFaults.expected(found, words.join(', '))) ?? words[0];
    },
  };
}

function readSecret(file: Setting, workingDirectory: string, findings: Findings): Setting | undefined {
  // If the variable holds the secret itself instead of its path, the log must not show it.
  const shown = /^\.{0,2}\//.test(file.value) ? file.value : settingFaults.hiddenPath;
  const content = readText(resolve(workingDirectory, file.value));
  if (content.kind === 'unreadable') {
    return findings.fault(file.variable, settingFaults.unreadableFile(shown, content.reason));
  }
  const value = content.text.replace(/\r?\n$/, '');
  if (value === '') return findings.fault(file.variable, settingFaults.emptyFile(shown));
  // the server would read the rest as another option
  if (value.includes('\0')) return findings.fault(file.variable, settingFaults.binaryFile(shown));
  return { variable: file.variable, value };
}
