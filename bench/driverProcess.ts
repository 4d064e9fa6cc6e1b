/** The bench's end of a driver process. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type {
  ChurnCommand,
  Command,
  OpenCommand,
  Reply,
  RunCommand,
  RunResult,
} from './driver/messages.js';

const ENTRY = fileURLToPath(new URL('./driver/main.js', import.meta.url));

/** A process that loads one server. */
export class DriverProcess {
  readonly #child: ChildProcess;

  private constructor() {
    this.#child = fork(ENTRY, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  /** Starts a driver and lets it connect to the server. */
  static async open(command: Omit<OpenCommand, 'kind'>): Promise<DriverProcess> {
    const driver = new DriverProcess();
    await driver.#tell({ kind: 'open', ...command });
    return driver;
  }

  /** Stores the keys 0..keys-1 and reads them all back. */
  async preload(keys: number): Promise<void> {
    await this.#tell({ kind: 'preload', keys });
  }

  /** Writes, and waits until everything is answered. */
  async churn(command: Omit<ChurnCommand, 'kind'>): Promise<void> {
    await this.#tell({ kind: 'churn', ...command });
  }

  /** Measures once. */
  async run(command: Omit<RunCommand, 'kind'>): Promise<RunResult> {
    const { result } = await this.#tell({ kind: 'run', ...command });
    if (result === undefined) throw new Error('the driver measured nothing');
    return result;
  }

  /** Ends the process and waits until it is gone. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }

  #tell(command: Command): Promise<Extract<Reply, { kind: 'done' }>> {
    return new Promise((resolve, reject) => {
      const died = (): void => reject(new Error(`the driver died during ${command.kind}`));
      this.#child.once('exit', died);
      this.#child.once('message', (reply: Reply) => {
        this.#child.off('exit', died);
        if (reply.kind === 'done') resolve(reply);
        else reject(new Error(reply.message));
      });
      this.#child.send(command);
    });
  }
}
