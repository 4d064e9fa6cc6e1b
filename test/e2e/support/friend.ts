import { get, RawSocket, set } from './rawSocket.js';

/**
 * A well-behaved client that works all the while others misbehave: it writes, reads back what it
 * wrote, and remembers the longest it had to wait.
 */
export class Friend {
  readonly #socket: RawSocket;
  readonly #work: Promise<void>;
  #stopping = false;
  /** Operations that were answered as they should be. */
  served = 0;
  /** The longest wait for an answer, in milliseconds. */
  worstMs = 0;

  private constructor(socket: RawSocket) {
    this.#socket = socket;
    this.#work = this.#run();
  }

  /** Connects and starts to work. */
  static async meet(url: string, token = ''): Promise<Friend> {
    return new Friend(await RawSocket.greeted(url, token));
  }

  async #run(): Promise<void> {
    for (let round = 1; !this.#stopping; round++) {
      const start = performance.now();
      this.#socket.send(set(round, 'friend', `round ${round}`), get(round, 'friend'));
      const [write, read] = await this.#socket.take(2);
      this.worstMs = Math.max(this.worstMs, performance.now() - start);
      const body = Buffer.from(read?.body ?? []).toString();
      if (write?.status !== 0 || body !== `round ${round}`)
        throw new Error(`lost ${round}: ${body}`);
      this.served++;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Stops; throws if anything went wrong on the way. */
  async part(): Promise<void> {
    this.#stopping = true;
    await this.#work;
    await this.#socket.close();
  }
}
