import type { Server } from 'node:http';
import { codeOf, InputError } from '../base/errors.js';

/** Where a server is to listen, and what is said when somebody has the port already. */
export interface ListenPlace {
  readonly host: string;
  readonly port: number;
  readonly taken: string;
}

/** Has a server listen; the port it got. Throws `InputError` when it can't. */
export function listenOn(server: Server, { host, port, taken }: ListenPlace): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const why = codeOf(error) === 'EADDRINUSE' ? taken : error.message;
      reject(new InputError(`cannot listen on ${host}:${port}: ${why}`));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
