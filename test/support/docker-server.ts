import { execa } from 'execa';
import { fastSettings, type StartedServer } from './local-cluster.ts';
import { serverVersion } from './server-version.ts';

/** Whether a Docker daemon answers within two seconds. */
export async function dockerAnswers(): Promise<boolean> {
  const { failed } = await execa('docker', ['version', '--format', '{{.Server.Version}}'], {
    reject: false,
    timeout: 2000,
  });
  return !failed;
}

/** Starts a throw-away server in a container. @throws Error if the image cannot be pulled or the server does not answer */
export async function startContainer(image: string): Promise<StartedServer> {
  // loaded on demand, because loading testcontainers takes half a second
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(image)
    .withEnvironment({ POSTGRES_HOST_AUTH_METHOD: 'trust' })
    .withCommand(['postgres', ...fastSettings])
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const url = `postgresql://postgres@${container.getHost()}:${container.getMappedPort(5432)}/postgres`;
  try {
    return { url, version: await serverVersion(url, 30_000), stop: () => container.stop() };
  } catch (error) {
    await container.stop();
    throw error;
  }
}
