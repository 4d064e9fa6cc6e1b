/**
 * Hints of this node and their file, where there is a data folder: what an earlier run has left is
 * taken over, and what changes is written at the end of each turn.
 */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Random } from '../../base/random.js';
import type { Config } from '../../config/config.js';
import { type Device, encryptedDevice } from '../../log/device.js';
import { KeyRing } from '../../log/keys.js';
import { RequestReader } from '../../protocol/requestReader.js';
import { FLAG_VERSION } from '../../protocol/wire.js';
import { HintFile, readHints } from '../../replication/hintFile.js';
import { type HintLimits, Hints } from '../../replication/hints.js';
import type { Log } from '../log.js';

/** Where hints are kept, encrypted if the device has keys. */
export interface HintPlace {
  readonly device: Device;
  readonly folder: string;
}

/** Where a node keeps hints, if it has a data folder. */
export function hintPlaceOf({ dataDir, dataKeys = [] }: Config): HintPlace | undefined {
  return dataDir === undefined
    ? undefined
    : { device: encryptedDevice(new KeyRing(dataKeys)), folder: dataDir };
}

/** What hints are kept with. */
export interface HintKeeperParts {
  readonly limits: HintLimits;
  /** Nowhere by default. */
  readonly place: HintPlace | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** See the top of this file. */
export class HintKeeper {
  readonly hints: Hints;
  /** Bytes of an earlier run that made no sense, and were dropped. */
  readonly damagedBytes: number;
  readonly #file: HintFile | undefined;

  constructor({ limits, place, clock, random, log }: HintKeeperParts) {
    if (place === undefined) {
      this.hints = new Hints(limits);
      this.damagedBytes = 0;
      return;
    }
    const { folder } = place;
    const failed = (error: unknown): void => {
      log.error({ folder, reason: messageOf(error) }, 'hints are not written any more');
    };
    const file = new HintFile({ ...place, clock, random, failed });
    this.hints = new Hints(limits, file);
    this.#file = file;
    this.damagedBytes = this.#restore(place, clock, log);
    file.rewrite(this.hints.all());
  }

  #restore({ device, folder }: HintPlace, clock: Clock, log: Log): number {
    try {
      const { hints, damagedBytes } = readHints(device, folder, clock);
      const nowMs = clock.monotonicMs();
      for (const [id, kept] of hints) this.hints.restore(id, kept, nowMs);
      if (hints.length > 0) log.info({ hints: hints.length }, 'hints of an earlier run are kept');
      if (damagedBytes > 0) {
        log.error({ folder, damagedBytes }, 'a part of the hints is damaged and was dropped');
      }
      return damagedBytes;
    } catch (error) {
      log.error({ folder, reason: messageOf(error) }, 'the hints can not be read');
      return 1;
    }
  }

  /** Keeps the changes of some frames for a node. */
  keep(id: string, frames: readonly Uint8Array[], nowMs: number): void {
    for (const frame of frames) {
      const reader = new RequestReader(frame);
      while (reader.next()) {
        const key = Buffer.from(reader.key()).toString('latin1');
        const version = reader.field(FLAG_VERSION) ?? 0n;
        const record = frame.slice(reader.at, reader.end);
        this.hints.keep(id, { key, version, record }, nowMs);
      }
    }
  }

  /** Whether they are kept for another run. */
  get isKept(): boolean {
    return this.#file !== undefined;
  }

  /** Writes what has changed. */
  flush(): void {
    this.#file?.flush(this.hints.bytes, () => this.hints.all());
  }

  /** Ends the writing. */
  close(): void {
    this.flush();
    this.#file?.close();
  }
}
