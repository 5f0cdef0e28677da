import { readConfig, type Config } from '../../../src/config/config.ts';
import { ConfigurationError, type Fault } from '../../../src/config/configuration-error.ts';
import type { Environment } from '../../../src/config/variables.ts';

/** The configuration of an environment, read in a folder of no interest. */
export function read(environment: Environment, workingDirectory = '/srv'): Config {
  return readConfig(environment, workingDirectory);
}

/** The faults of an environment that cannot be used. */
export function faultsOf(environment: Environment, workingDirectory = '/srv'): readonly Fault[] {
  try {
    readConfig(environment, workingDirectory);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  return [];
}
