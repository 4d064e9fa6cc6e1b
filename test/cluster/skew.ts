/**
 * Clocks that are off, one node's without the others': libfaketime shifts what a process is told of
 * the time of day, and reads again every second by how much. Timers and steady clocks it leaves.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LIBRARIES = '/usr/lib';
const LIBRARY = 'faketime/libfaketimeMT.so.1';

function library(): string | undefined {
  if (!existsSync(LIBRARIES)) return undefined;
  const places = ['', ...readdirSync(LIBRARIES)].map((place) => join(LIBRARIES, place, LIBRARY));
  return places.find((place) => existsSync(place));
}

/** Why clocks can't be shifted here; nothing when they can. */
export function skewProblem(): string | undefined {
  return library() === undefined ? 'there is no libfaketime' : undefined;
}

/** The clocks of some nodes. */
export class Skew {
  readonly #folder = mkdtempSync(join(tmpdir(), 'orlop-skew-'));

  /** What a node is started with; its clock is right at first. */
  environment(n: number): Readonly<Record<string, string>> {
    this.set(n, 0);
    return {
      LD_PRELOAD: library() ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file(n),
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  #file(n: number): string {
    return join(this.#folder, String(n));
  }

  /** Puts the clock of a node off by so much. */
  set(n: number, offMs: number): void {
    writeFileSync(this.#file(n), `${offMs < 0 ? '-' : '+'}${Math.abs(offMs) / 1000}`);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
