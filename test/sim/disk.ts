import type { Random } from '../../src/base/random.js';
import type { Agenda } from './agenda.js';

/** How long a sync takes, in milliseconds, at the least and at the most. */
const SYNC_MS = { min: 0.1, max: 4 };
/** The share of writes under way that reach the disk although the host crashes. */
const LUCKY = 0.1;

interface Write {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The disk of a simulated host: small files that are replaced whole. */
export class Disk {
  readonly #agenda: Agenda;
  readonly #random: Random;
  readonly #files = new Map<string, Uint8Array>();
  readonly #under = new Set<Write>();

  constructor(agenda: Agenda, random: Random) {
    this.#agenda = agenda;
    this.#random = random;
  }

  /** A file as it is on the disk. */
  read(name: string): Uint8Array | undefined {
    return this.#files.get(name);
  }

  /** Replaces a file; `done` is called once that would survive a crash. */
  write(name: string, bytes: Uint8Array, done: () => void): void {
    const write = { name, bytes: Uint8Array.from(bytes) };
    this.#under.add(write);
    const delayMs = SYNC_MS.min + this.#random.fraction() * (SYNC_MS.max - SYNC_MS.min);
    this.#agenda.at(this.#agenda.nowMs + delayMs, () => {
      if (!this.#under.delete(write)) return;
      this.#files.set(name, write.bytes);
      done();
    });
  }

  /** Loses most of what is not synced; with `bare` everything. */
  crash(bare: boolean): void {
    for (const { name, bytes } of this.#under) {
      if (this.#random.fraction() < LUCKY) this.#files.set(name, bytes);
    }
    this.#under.clear();
    if (bare) this.#files.clear();
  }
}
