import { InputError } from '../../base/errors.js';
import type { Listener } from '../listener.js';
import type { Station } from '../station.js';
import type { Descriptor, NativeApp, NativeBinding } from './binding.js';
import { openApp } from './nativeApp.js';

/** Listens with uWebSockets.js, and spreads the sockets over the apps of I/O threads. */
export class NativeListener implements Listener {
  readonly kind = 'native';
  readonly #binding: NativeBinding;
  readonly #app: NativeApp;
  #listenSocket: object | undefined;
  #port = 0;

  /** `station` serves the sockets for which there is no I/O thread. */
  constructor(binding: NativeBinding, station: Station) {
    this.#binding = binding;
    this.#app = openApp(binding, station);
  }

  get port(): number {
    return this.#port;
  }

  /** Accepts sockets from now on. */
  listen(host: string, port: number): Promise<void> {
    const binding = this.#binding;
    return new Promise((resolve, reject) => {
      this.#app.listen(host, port, binding.LIBUS_LISTEN_EXCLUSIVE_PORT, (listenSocket) => {
        if (listenSocket === false) {
          reject(new InputError(`cannot listen on ${host}:${port}: is the port taken?`));
          return;
        }
        this.#listenSocket = listenSocket;
        this.#port = binding.us_socket_local_port(listenSocket);
        resolve();
      });
    });
  }

  /** From now on a share of the accepted sockets goes to the thread of this app. */
  attach(descriptor: Descriptor): void {
    this.#app.addChildAppDescriptor(descriptor);
  }

  /** From now on no socket goes to the thread of this app; ones on the way still arrive there. */
  detach(descriptor: Descriptor): void {
    this.#app.removeChildAppDescriptor(descriptor);
  }

  stop(): void {
    if (this.#listenSocket === undefined) return;
    this.#binding.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = undefined;
  }

  async close(): Promise<void> {
    this.#listenSocket = undefined;
    this.#app.close();
  }
}
