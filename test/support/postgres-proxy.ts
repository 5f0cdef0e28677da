import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { atEnd } from './cleanup.ts';

/** How the proxy treats a client that connects. */
export type ClientTreatment =
  /**
   * It is connected to the real server. `cut` may cut the connection at a message that needs an answer: before the server
   * gets the message, or after the server has answered and before the client gets the answer. With `silence` both ends
   * stay connected, and no more bytes are forwarded.
   */
  | {
      readonly kind: 'forward';
      readonly url: string;
      readonly cut?: (query: string) => 'before' | 'after' | 'silence' | null;
    }
  /** The connection is accepted, and no byte is answered. */
  | { readonly kind: 'silent' }
  /** The login is answered with an error. */
  | { readonly kind: 'refuse'; readonly code: string; readonly message: string }
  /** The login succeeds, and every query is answered with this row. */
  | { readonly kind: 'answer'; readonly row: Readonly<Record<string, string | boolean>> }
  /** The connection is closed without a message. */
  | { readonly kind: 'hang up' };

/** A TCP server between db-init and PostgreSQL that simulates rare behaviour of a real server. */
export interface Proxy {
  readonly port: number;
  /** The real server's URL with the proxy's address in it, without TLS. */
  urlOf(url: string): string;
  /** The number of clients that have connected. */
  connections(): number;
  /** The messages of all clients that need an answer: simple queries, and `(sync)` for each Sync of the extended protocol. */
  queries(): readonly string[];
  /** Resolves when no client is connected. */
  idle(): Promise<void>;
}

/**
 * Starts a proxy, on a free port of 127.0.0.1 unless told otherwise. It ends with the file's tests.
 * @param receive decides by the number of the client, from 1
 */
export async function startProxy(
  receive: (client: number) => ClientTreatment,
  { host = '127.0.0.1', port: wanted = 0 } = {},
): Promise<Proxy> {
  const queries: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket.on('error', () => undefined));
    serveClient(socket, receive(connections), queries, sockets);
  });
  server.listen(wanted, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  atEnd(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port,
    urlOf: (url) => through(url, port),
    connections: () => connections,
    queries: () => queries,
    idle: async () => {
      const open = [...sockets].filter((socket) => !socket.closed);
      await Promise.all(open.map((socket) => once(socket, 'close')));
    },
  };
}

function through(url: string, port: number): string {
  const changed = new URL(url);
  changed.hostname = '127.0.0.1';
  changed.port = String(port);
  changed.searchParams.set('sslmode', 'disable');
  return changed.href;
}

function serveClient(socket: Socket, reception: ClientTreatment, queries: string[], sockets: Set<Socket>): void {
  switch (reception.kind) {
    case 'hang up':
      socket.destroy();
      return;
    case 'silent':
      socket.resume();
      return;
    case 'refuse':
      socket.once('data', () => socket.end(errorMessage(reception.code, reception.message)));
      return;
    case 'answer':
      readMessages(socket, (type) => {
        if (type === 'startup') socket.write(Buffer.concat([message('R', int32(0)), ready]));
        else if (type === 'Q') socket.write(rowMessages(reception.row));
        else socket.end();
      });
      return;
    case 'forward': {
      const { hostname, port } = new URL(reception.url);
      const real = connect(Number(port), hostname.replaceAll(/[[\]]/g, ''));
      sockets.add(real.on('error', () => socket.destroy()));
      const hangUp = (): void => [socket, real].forEach((end) => end.destroy());
      readMessages(socket, (type, body) => {
        if (type !== 'Q' && type !== 'S') return;
        const query = type === 'Q' ? body.toString('utf8', 0, body.length - 1) : '(sync)';
        queries.push(query);
        const cut = reception.cut?.(query) ?? null;
        if (cut === 'before') hangUp();
        if (cut === 'silence') [socket.unpipe(real), real.unpipe(socket)].forEach((end) => end.resume());
        if (cut === 'after') real.unpipe(socket).once('data', hangUp).resume();
      });
      socket.pipe(real).pipe(socket);
      socket.on('close', () => real.destroy());
    }
  }
}

/** Calls `onMessage` for each message of a client (PostgreSQL manual, "Message Formats"). */
function readMessages(socket: Socket, onMessage: (type: string, body: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  let started = false;
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const prefix = started ? 1 : 0;
      if (rest.length < prefix + 4) return;
      const end = prefix + rest.readInt32BE(prefix);
      if (rest.length < end) return;
      onMessage(started ? String.fromCodePoint(rest[0] ?? 0) : 'startup', rest.subarray(prefix + 4, end));
      started = true;
      rest = rest.subarray(end);
    }
  });
}

const booleanType = 16;
const textType = 25;
const ready = message('Z', Buffer.from('I'));

function rowMessages(row: Readonly<Record<string, string | boolean>>): Buffer {
  const fields = Object.entries(row);
  const descriptions = fields.map(([name, value]) =>
    Buffer.concat([
      text(name),
      int32(0),
      int16(0),
      int32(typeof value === 'boolean' ? booleanType : textType),
      int16(-1),
      int32(-1),
      int16(0),
    ]),
  );
  const values = fields.map(([, value]) => {
    const bytes = Buffer.from(typeof value === 'boolean' ? (value ? 't' : 'f') : value);
    return Buffer.concat([int32(bytes.length), bytes]);
  });
  return Buffer.concat([
    message('T', Buffer.concat([int16(fields.length), ...descriptions])),
    message('D', Buffer.concat([int16(fields.length), ...values])),
    message('C', text('SELECT 1')),
    ready,
  ]);
}

function errorMessage(code: string, words: string): Buffer {
  const fields = { S: 'FATAL', V: 'FATAL', C: code, M: words };
  const body = Object.entries(fields).map(([field, value]) => text(field + value));
  return message('E', Buffer.concat([...body, Buffer.alloc(1)]));
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
