import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { parseColumns } from '../../../bench/trace/formats/csv.js';
import { readTraceFile, type TraceFileOptions } from '../../../bench/trace/formats/traceFile.js';
import { InputError } from '../../../src/base/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'trace-formats-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What every file here says: five requests of three keys. */
const IDS = [7, 4_000_000_000, 7, 9, 4_000_000_000];
const KEYS = [0, 1, 0, 2, 1];

function words(ids: readonly number[]): Buffer {
  const bytes = Buffer.alloc(ids.length * 4);
  ids.forEach((id, at) => {
    bytes.writeUInt32LE(id, at * 4);
  });
  return bytes;
}

function oracleGeneral(ids: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(ids.length * 24);
  ids.forEach((id, at) => {
    bytes.writeUInt32LE(1000 + at, at * 24);
    bytes.writeBigUInt64LE(id, at * 24 + 4);
    bytes.writeUInt32LE(512, at * 24 + 12);
    bytes.writeBigInt64LE(-1n, at * 24 + 16);
  });
  return bytes;
}

function read(name: string, content: string | Buffer, options: TraceFileOptions = {}) {
  const path = join(folder, name);
  writeFileSync(path, content);
  return readTraceFile(path, options);
}

const keysOf = (...file: Parameters<typeof read>): number[] => [...read(...file).keys];

describe('trace files', () => {
  test('words, as they are and packed', () => {
    expect(read('web.u32', words(IDS))).toEqual({
      name: 'web',
      keys: Uint32Array.from(KEYS),
      keyCount: 3,
    });
    expect(read('web.u32.br', brotliCompressSync(words(IDS))).name).toBe('web');
    expect(keysOf('web.u32.br', brotliCompressSync(words(IDS)))).toEqual(KEYS);
    expect(keysOf('web.u32.gz', gzipSync(words(IDS)))).toEqual(KEYS);
  });

  test('text with a key a line, with any end of line and without the last', () => {
    const lines = ['/a', '/bé', '/a', '/c', '/bé'];
    expect(keysOf('log.txt', lines.join('\n'))).toEqual(KEYS);
    expect(keysOf('log', `${lines.join('\r\n')}\r\n`)).toEqual(KEYS);
    expect(keysOf('log.txt.br', brotliCompressSync(Buffer.from(lines.join('\n\n'))))).toEqual(KEYS);
    expect(keysOf('spaces.txt', 'a b\na\na b')).toEqual([0, 1, 0]);
  });

  test('csv finds delimiter and header by itself', () => {
    const rows = IDS.map((id, at) => [at, id, 512]);
    for (const delimiter of [',', ';', '\t', '|']) {
      const lines = rows.map((row) => row.join(delimiter));
      expect(keysOf('t.csv', lines.join('\n'))).toEqual(KEYS);
      const header = ['time', 'obj_id', 'obj_size'].join(delimiter);
      expect(keysOf('t.csv', [header, ...lines].join('\n'))).toEqual(KEYS);
    }
  });

  test('csv is told its columns as libCacheSim is', () => {
    const rows = ['key x', ...IDS.map((id, at) => `o${id}#${at}#9`)].join('\n');
    const columns = 'time-col=2, obj-id-col=1, obj-size-col=3, delimiter=#, has-header=true';
    expect(keysOf('t.csv', rows, { columns })).toEqual(KEYS);
    expect(parseColumns('obj-id-col=3,delimiter=,,has-header=false')).toEqual({
      idColumn: 3,
      delimiter: ',',
      hasHeader: false,
    });
    expect(parseColumns('OBJ_ID_COL=4, delimiter=\\t, header=no, obj-id-is-num=1')).toEqual({
      idColumn: 4,
      delimiter: '\t',
      hasHeader: false,
    });
    const headless = 'a,b,c\nd,b,e';
    expect(keysOf('t.csv', headless, { columns: 'has-header=0' })).toEqual([0, 0]);
  });

  test('csv fields may be quoted', () => {
    const rows = ['1,"a,b",x', '2,"say ""no""",x', '3,"a,b",x'].join('\n');
    expect(keysOf('q.csv', rows, { columns: 'has-header=false' })).toEqual([0, 1, 0]);
  });

  test('oracleGeneral, ids above 2^53 included', () => {
    const ids = [5n, 2n ** 64n - 1n, 5n, 2n ** 64n - 2n, 2n ** 64n - 1n];
    expect(keysOf('w106.oracleGeneral.bin', oracleGeneral(ids))).toEqual(KEYS);
    expect(keysOf('plain.bin', oracleGeneral(ids), { type: 'oracleGeneral' })).toEqual(KEYS);
  });

  test.each<[string, string | Buffer, TraceFileOptions, RegExp]>([
    ['half.u32', Buffer.alloc(6), {}, /half\.u32 .*6 bytes are no whole number of 32-bit words/],
    ['half.oracleGeneral', Buffer.alloc(25), {}, /25 bytes .* 24-byte records/],
    ['empty.u32', '', {}, /no requests/],
    ['empty.txt', '\n\n', {}, /no requests/],
    ['bad.u32.br', 'not brotli', {}, /bad\.u32\.br can't be read: /],
    ['packed.oracleGeneral.zst', 'x', {}, /zstd -d/],
    ['short.csv', '1,2\n3', { columns: 'has-header=false' }, /line 2 has no object id in column 2/],
    ['a.csv', '1,2', { columns: 'obj-id-kol=1' }, /did you mean "obj-id-col"/],
    ['a.csv', '1,2', { columns: 'obj-id-col=0' }, /counts from 1/],
    ['a.csv', '1,2', { columns: 'obj-id-col' }, /no name=value/],
    ['a.csv', '1,2', { columns: 'delimiter=ab' }, /one character/],
    ['a.csv', '1,2', { columns: 'has-header=maybe' }, /true or false/],
    ['a.txt', 'k', { columns: 'obj-id-col=1' }, /read as txt/],
  ])('%s is refused in words', (name, content, options, message) => {
    expect(() => read(name, content, options)).toThrow(message);
    expect(() => read(name, content, options)).toThrow(InputError);
  });

  test('a missing file and a folder are refused in words', () => {
    expect(() => readTraceFile(join(folder, 'none.u32'))).toThrow(/there is no such file/);
    expect(() => readTraceFile(folder)).toThrow(/it is a directory/);
  });
});
