/**
 * What is written to the disk for each byte of keys and values: half of the writes go to fresh keys
 * and half to keys that were written not long before, into a node whose memory is full, so that the
 * log is compacted all the time. The first half of the writes brings the log to that state, the
 * second is measured, by what the kernel says that the process has written.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { verdict } from '../goals.js';
import { writtenBytesOf } from '../processWrites.js';
import { rateText, table } from '../report.js';
import { Server } from '../servers.js';
import { KEY_BYTES, VALUE_BYTES } from '../workload.js';
import type { LogRow } from './rows.js';
import type { LogSettings } from './settings.js';
import { open } from './throughput.js';

const MEMORY_MB = 128;
/** Small files, so that those of a small memory are many. */
const FLAGS = ['--data-file-size', '8mb'];
const AT_MOST = 2.5;
const OVERWRITES = 0.5;
const RECENT = 100_000;
const SLICE = 65_536;
/** Until everything that was answered has been written, under `everysec`. */
const SETTLE_MS = 2500;

/** Measures, prints, and returns the row. */
export async function benchWrites(settings: LogSettings): Promise<LogRow[]> {
  const place = mkdtempSync(join(settings.place, 'orlop-bench-'));
  const { threads, flags, say, writes } = settings;
  const data = { folder: join(place, 'log'), fsync: 'everysec' } as const;
  const options = { threads, memoryMb: MEMORY_MB, data, flags: [...FLAGS, ...flags] };
  const server = await Server.start('orlop', options);
  try {
    const driver = await open(server, 10);
    const written = async (): Promise<number> => {
      await sleep(SETTLE_MS);
      return writtenBytesOf(server.pid);
    };
    const slices = Math.ceil(writes / 2 / SLICE);
    let from = 0;
    const run = async (): Promise<void> => {
      for (let slice = 0; slice < slices; slice++) {
        const share = { overwrites: OVERWRITES, recent: RECENT };
        await driver.churn({ from, writes: SLICE, ...share });
        from += SLICE * (1 - OVERWRITES);
      }
    };
    await run();
    const before = await written();
    const startMs = performance.now();
    await run();
    const seconds = (performance.now() - startMs) / 1000;
    const bytes = (await written()) - before;
    await driver.close();
    const operations = slices * SLICE;
    const row = rowOf(operations / seconds, bytes / (operations * (KEY_BYTES + VALUE_BYTES)));
    say(table(['writes', 'throughput', 'written per byte'], [lineOf(row)]));
    const ratio = row.writtenPerByte ?? 0;
    say(`bytes written per byte of user data: ${ratio.toFixed(2)}, ${verdictOf(ratio)}`);
    return [row];
  } finally {
    await server.stop();
    rmSync(place, { recursive: true, force: true });
  }
}

const verdictOf = (ratio: number): string => verdict(ratio <= AT_MOST, `≤ ${AT_MOST}`);

function rowOf(opsPerSecond: number, writtenPerByte: number): LogRow {
  return {
    system: 'orlop',
    scenario: 'log writes, half of them overwrites',
    opsPerSecond,
    p50Us: null,
    p99Us: null,
    p999Us: null,
    cpuUsPerOp: null,
    driverCpu: null,
    writtenPerByte: Number(writtenPerByte.toFixed(3)),
  };
}

function lineOf(row: LogRow): string[] {
  return [row.scenario, rateText(row.opsPerSecond), (row.writtenPerByte ?? 0).toFixed(2)];
}
