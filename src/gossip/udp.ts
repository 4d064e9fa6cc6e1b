/** Datagrams of the operating system: the thin rim around everything else in this room. */
import { createSocket, type Socket } from 'node:dgram';
import { lookup, Resolver } from 'node:dns';
import { codeOf, InputError, messageOf } from '../base/errors.js';
import type { Datagrams } from './channel.js';
import { isIp, type Resolve } from './discovery.js';
import { endpointOf } from './member.js';

/** Bytes the system keeps for this socket while the node is busy. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

/** A bound socket. */
export interface UdpSocket extends Datagrams {
  readonly port: number;
  close(): Promise<void>;
}

function splitEndpoint(endpoint: string): { host: string; port: number } {
  const colon = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(endpoint.slice(colon + 1)) };
}

function refusal(error: unknown, host: string, port: number): Error {
  const code = codeOf(error);
  if (code === 'EADDRINUSE') {
    return new InputError(
      `the gossip port ${port} of ${host} is taken: set gossip-port to another one`,
    );
  }
  return new InputError(`can't gossip on ${host}, port ${port}: ${messageOf(error)}`);
}

function bind(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => reject(refusal(error, host, port));
    socket.once('error', refuse);
    socket.bind(port, host, () => {
      socket.off('error', refuse);
      resolve();
    });
  });
}

/**
 * Opens a socket on an IP address and a port, 0 for any free one. Datagrams that can't be sent are
 * lost, as they may be anyway. Throws `InputError`.
 */
export async function openUdp(host: string, port: number): Promise<UdpSocket> {
  const type = host.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES });
  await bind(socket, host, port);
  // An unreachable peer may show as an error of the socket; who it is shows by its silence.
  socket.on('error', () => {});
  let open = true;
  return {
    port: socket.address().port,
    send: (endpoint, bytes) => {
      const to = splitEndpoint(endpoint);
      if (open) socket.send(bytes, to.port, to.host, () => {});
    },
    onDatagram: (handler) => {
      socket.removeAllListeners('message');
      socket.on('message', (bytes, from) => handler(endpointOf(from.address, from.port), bytes));
    },
    close: () => {
      open = false;
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}

/** Resolves names as this machine does, its hosts file included. */
export const systemResolve: Resolve = (name, found) => {
  lookup(name, { all: true }, (error, addresses) => {
    found(error ? [] : addresses.map(({ address }) => address).sort());
  });
};

/** Resolves names by asking one DNS server, `IP` or `IP:PORT`. */
export function resolveAt(server: string): Resolve {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([server]);
  return (name, found) => {
    resolver.resolve4(name, (error, addresses) => {
      if (!error) found([...addresses].sort());
      else resolver.resolve6(name, (error, addresses) => found(error ? [] : [...addresses].sort()));
    });
  };
}

/** The IP address that a host, a name or an address, has on this machine. Throws `InputError`. */
export function addressOfHost(host: string): Promise<string> {
  if (isIp(host)) return Promise.resolve(host);
  return new Promise((resolve, reject) => {
    systemResolve(host, ([address]) => {
      if (address !== undefined) resolve(address);
      else reject(new InputError(`there is no address for ${host}: set host to an IP address`));
    });
  });
}
