import { describe, expect, test } from 'vitest';
import { Store } from '../../../src/arena/store.js';
import { systemClock } from '../../../src/base/clock.js';
import { FULL, Signals } from '../../../src/log/signals.js';
import { Board, FIGURE, HISTOGRAMS_AT } from '../../../src/net/board.js';
import { metricsPage, ownFamilies } from '../../../src/observe/metrics.js';
import type { Sources } from '../../../src/observe/snapshot.js';
import { statsDocument } from '../../../src/observe/stats.js';

const MIB = 1024 * 1024;

function sources(): Sources {
  const store = Store.create({ memoryBytes: 16 * MIB, lanes: 2, maxValueBytes: MIB });
  const facts = {
    version: '1.2.3',
    listener: 'native',
    threads: 1,
    policy: 's3fifo',
    memoryBytes: 16 * MIB,
    maxValueBytes: MIB,
    startedMs: systemClock.nowMs() - 5000,
  };
  return { store, board: Board.create(2), facts, clock: systemClock, log: undefined };
}

describe('the page of metrics', () => {
  test('sums the tallies of all threads', async () => {
    const from = sources();
    from.board.tally(0)[FIGURE.framesIn] = 2;
    from.board.tally(1)[FIGURE.framesIn] = 3;
    from.board.tally(1)[FIGURE.closedSlow] = 4;
    const { body, contentType } = await metricsPage(ownFamilies(from));
    expect(contentType).toMatch(/^text\/plain/);
    expect(body).toMatch(/^orlop_frames_received_total 5$/m);
    expect(body).toMatch(/^orlop_connections_refused_total\{cause="slow_reader"\} 4$/m);
    expect(body).toMatch(/^orlop_info\{version="1\.2\.3",policy="s3fifo",listener="native"/m);
  });

  test('tells of the log, where there is one', async () => {
    expect((await metricsPage(ownFamilies(sources()))).body).not.toMatch(/orlop_log/);
    const signals = Signals.create();
    signals.set('records', 7);
    signals.set('syncMs', 1500);
    signals.state = FULL;
    const from: Sources = { ...sources(), log: { signals, fsync: 'always' } };
    const { body } = await metricsPage(ownFamilies(from));
    expect(body).toMatch(/^orlop_log_records_total 7$/m);
    expect(body).toMatch(/^orlop_log_sync_seconds_total 1.5$/m);
    expect(body).toMatch(/^orlop_log_state\{state="full"\} 1$/m);
    expect(body).toMatch(/^orlop_log_state\{state="running"\} 0$/m);
    expect(statsDocument(from)).toMatchObject({
      log: { fsync: 'always', state: 'full', records: 7 },
    });
  });

  test('has histograms whose buckets add up', async () => {
    const from = sources();
    from.board.tally(0)[HISTOGRAMS_AT] = 1;
    from.board.tally(1)[HISTOGRAMS_AT + 1] = 2;
    const { body } = await metricsPage(ownFamilies(from));
    const value = (part: string): string | undefined =>
      new RegExp(`^orlop_request_duration_seconds_${part} (.*)$`, 'm').exec(body)?.[1];
    expect(value('bucket\\{verb="get",le="0.00001"\\}')).toBe('1');
    expect(value('bucket\\{verb="get",le="0.000025"\\}')).toBe('3');
    expect(value('bucket\\{verb="get",le="\\+Inf"\\}')).toBe('3');
    expect(value('count\\{verb="get"\\}')).toBe('3');
  });

  test('is well-formed: every sample belongs to a family with help and type', async () => {
    const { body } = await metricsPage(ownFamilies(sources()));
    const types = new Map([...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, n, t]) => [n, t]));
    const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines.length).toBeGreaterThan(100);
    for (const line of lines) {
      expect(line).toMatch(/^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[\d.e+-]+$/);
      const name = line.replace(/[{ ].*$/, '').replace(/_(bucket|sum|count)$/, '');
      expect([name, types.has(name)]).toEqual([name, true]);
    }
    for (const [name, type] of types) {
      expect([name, name?.endsWith('_total')]).toEqual([name, type === 'counter']);
    }
  });
});

test('the document of statistics can be written as JSON, without holes', () => {
  const document = JSON.parse(JSON.stringify(statsDocument(sources())));
  expect(document.server.uptimeMs).toBeGreaterThanOrEqual(5000);
  const leaves = (value: unknown): unknown[] =>
    typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [value];
  expect(leaves(document).every((leaf) => leaf !== null && leaf !== undefined)).toBe(true);
});
