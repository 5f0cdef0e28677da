import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { atEnd } from './cleanup.ts';

/** A request as it came in. */
export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Listener {
  /** `http://127.0.0.1:40123` */
  readonly url: string;
  readonly heard: Heard[];
}

/**
 * Stands for ntfy, healthchecks.io and webhooks. A path that begins with a number is answered with that status, one with
 * /silent never.
 */
export async function listen(): Promise<Listener> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { method = '', url: path = '', headers } = request;
      heard.push({ method, path, headers, body: await text(request) });
      if (path.startsWith('/silent')) return;
      const [, status = '200'] = /^\/(\d{3})\//.exec(path) ?? [];
      response.writeHead(Number(status), status.startsWith('3') ? { location: '/elsewhere' } : {}).end('thanks');
    };
    void answer();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listener without a port');
  return { url: `http://127.0.0.1:${address.port}`, heard };
}
