/**
 * What is done to a node while calls of its log are made to fail: its files end and begin, then
 * they are more than they may be and are compacted, then it is backed up beside writes, and in the
 * end it is told to end.
 *
 *   single writes ─▶ a burst of them ─▶ compaction ─▶ backup │ writes ─▶ SIGTERM
 *
 * Until the burst the log is smaller than it may be, and after it larger. So compaction begins at
 * the same place in each run, whatever the time it takes.
 */
import { messageOf } from '../../src/base/errors.js';
import { BackupReader } from '../../src/log/backupReader.js';
import type { Request } from '../../src/protocol/request.js';
import { STATUS } from '../../src/protocol/status.js';
import { OP_DELETE, OP_SET } from '../../src/protocol/wire.js';
import { RawSocket } from '../e2e/support/rawSocket.js';
import type { TestServer } from '../e2e/support/server.js';
import { pause } from './node.js';
import { bookFailure, type KeyOracle, type Sent, type State, type Tally } from './oracle.js';

/** How much is done. */
export interface LiveScript {
  /** Flags of the node. */
  readonly flags: readonly string[];
  readonly keys: number;
  readonly valueBytes: number;
  /** Writes before the burst, writes of the burst, and writes beside the backup. */
  readonly single: number;
  readonly burst: number;
  readonly beside: number;
}

/** Every so manieth write before the burst is a delete. */
const DELETE_EVERY = 9;
/** Writes of a burst that are sent before the answers to those have come. */
const AT_ONCE = 4;
const COMPACTION_MS = 30_000;
const LOOK_MS = 25;

/** What was seen of a node that lived to the end of the script. */
export interface Lived {
  readonly compactions: number;
  /** Values that were read from the disk. */
  readonly tierFound: number;
}

interface Stats {
  readonly log: { readonly compactions: number };
  readonly tier?: { readonly found: number };
}

/** Plays the script; nothing when the node died before the end of it. */
export async function playLive(
  server: TestServer,
  script: LiveScript,
  keys: readonly KeyOracle[],
  tally: Tally,
): Promise<Lived | undefined> {
  const socket = await RawSocket.greeted(server.url).catch(() => undefined);
  if (socket === undefined) return undefined;
  try {
    return await new Player(server, socket, script, keys, tally).play();
  } catch (error) {
    if (!/^closed after|fetch failed|terminated/.test(messageOf(error))) throw error;
    return undefined;
  } finally {
    socket.socket.terminate();
  }
}

class Player {
  readonly #server: TestServer;
  readonly #socket: RawSocket;
  readonly #script: LiveScript;
  readonly #keys: readonly KeyOracle[];
  readonly #tally: Tally;
  #step = 0;

  constructor(
    server: TestServer,
    socket: RawSocket,
    script: LiveScript,
    keys: readonly KeyOracle[],
    tally: Tally,
  ) {
    this.#server = server;
    this.#socket = socket;
    this.#script = script;
    this.#keys = keys;
    this.#tally = tally;
  }

  async play(): Promise<Lived> {
    const { single, burst, beside } = this.#script;
    for (let n = 0; n < single; n++) await this.#write(1, n % DELETE_EVERY === DELETE_EVERY - 1);
    for (let left = burst; left > 0; left -= AT_ONCE)
      await this.#write(Math.min(left, AT_ONCE), false);
    const { log } = await this.#compacted();
    const before = this.#keys.map(({ state }) => state);
    const backup = this.#backUp();
    // It is seen to below, also if a write finds the node gone before.
    backup.catch(() => undefined);
    for (let n = 0; n < beside; n++) await this.#write(1, false);
    this.#judge(await backup, before);
    const { tier } = await this.#stats();
    return { compactions: log.compactions, tierFound: tier?.found ?? 0 };
  }

  /** Changes the next so many keys, and waits for all answers then. */
  async #write(count: number, remove: boolean): Promise<void> {
    const waiting = new Map<number, Sent>();
    const requests = Array.from({ length: count }, (): Request => {
      const id = ++this.#step;
      const key = this.#keys[id % this.#keys.length] as KeyOracle;
      const value = `step ${id} `.padEnd(this.#script.valueBytes, 'x');
      waiting.set(id, key.send(remove ? undefined : value));
      const base = { id, key: key.key };
      return remove ? { ...base, opcode: OP_DELETE } : { ...base, opcode: OP_SET, value };
    });
    for (const request of requests) this.#socket.send(request);
    for (let left = count; left > 0; left--) {
      const [answer] = await this.#socket.take(1);
      const { id = 0, status = STATUS.INTERNAL } = answer ?? {};
      if (status === STATUS.BUSY) waiting.get(id)?.withdraw();
      else if (status === STATUS.OK || status === STATUS.NOT_FOUND) {
        waiting.get(id)?.confirm();
        this.#tally.acked++;
      } else throw new Error(`step ${id} was answered ${status}`);
    }
  }

  async #stats(): Promise<Stats> {
    return (await (await fetch(`${this.#server.httpUrl}/v1/stats`)).json()) as Stats;
  }

  /** Waits until the log was compacted. */
  async #compacted(): Promise<Stats> {
    for (let waitedMs = 0; waitedMs < COMPACTION_MS; waitedMs += LOOK_MS) {
      const stats = await this.#stats();
      if (stats.log.compactions > 0) return stats;
      await pause(LOOK_MS);
    }
    throw new Error('the log is not compacted');
  }

  /** A backup, as values by their keys. */
  async #backUp(): Promise<Map<string, string>> {
    const values = new Map<string, string>();
    const reader = new BackupReader(Number.POSITIVE_INFINITY, (walk) => {
      const [key, value] = [walk.key(), walk.value()].map((bytes) => Buffer.from(bytes).toString());
      values.set(key ?? '', value ?? '');
    });
    const reply = await fetch(`${this.#server.httpUrl}/cache/backup`, { method: 'POST' });
    reader.take(new Uint8Array(await reply.arrayBuffer()));
    reader.finish();
    return values;
  }

  /** A backup that came to its end has what each key held at some time since it began. */
  #judge(values: ReadonlyMap<string, string>, before: readonly State[]): void {
    this.#keys.forEach(({ key, state }, n) => {
      const value = values.get(key);
      if (value === before[n] || value === state) return;
      const [had, has] = [before[n], value].map((text) => text?.slice(0, 10) ?? 'nothing');
      bookFailure(this.#tally, `the backup has ${has} for ${key}, which had ${had}`);
    });
  }
}
