/**
 * When a node was in touch with its cluster last, as a file of the data folder: Unix milliseconds
 * as text in one line. One that is damaged or not there says that it is not known; then the others
 * are asked, and nothing is lost by that.
 */
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { type Device, readWhole, systemDevice } from '../log/device.js';
import { replaceFile } from '../log/replacedFile.js';
import type { TouchPlace } from '../net/peers/absence.js';

const NAME = 'cluster.touched';
const LINE = /^\d{1,15}\n$/;

/** The place in a folder. */
export function touchFile(device: Device, folder: string): TouchPlace {
  return {
    load() {
      device.makeFolder(folder);
      if (!device.list(folder).includes(NAME)) return 0;
      const text = Buffer.from(readWhole(device, join(folder, NAME))).toString('latin1');
      return LINE.test(text) ? Number(text) : 0;
    },
    save(touchedMs) {
      replaceFile(device, folder, NAME, Buffer.from(`${Math.floor(touchedMs)}\n`, 'latin1'));
    },
  };
}

/** The place of a node; nowhere without a data folder. */
export function touchPlaceOf({ dataDir }: Config): TouchPlace | undefined {
  return dataDir === undefined ? undefined : touchFile(systemDevice, dataDir);
}
