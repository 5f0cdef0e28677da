import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { atEnd } from './cleanup.ts';

/** A request that the listener received. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Listener {
  /** `http://127.0.0.1:40123` */
  readonly url: string;
  readonly requests: ReceivedRequest[];
}

/**
 * Starts an HTTP server that stands for ntfy, healthchecks.io and webhooks. If a path begins with a number, the answer has
 * that status; a path that begins with /silent gets no answer.
 */
export async function startListener(): Promise<Listener> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { method = '', url: path = '', headers } = request;
      requests.push({ method, path, headers, body: await text(request) });
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
  return { url: `http://127.0.0.1:${address.port}`, requests };
}
