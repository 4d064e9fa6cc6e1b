/** The HTTP door under load, by autocannon: GET and PUT of stored keys on fifty connections. */
import autocannon from 'autocannon';
import type { Histogram } from 'hdr-histogram-js';
import { permutation } from './draws.js';
import { newLatencies, percentilesOf, TICKS_PER_MS } from './latencies.js';
import type { Target } from './loadTest.js';
import { cpuSecondsOf } from './processCpu.js';
import { figuresOf, type Row, table } from './report.js';
import type { Settings } from './settings.js';
import { keyText, VALUE_BYTES, writeValue } from './workload.js';

/** Different keys per run; autocannon encodes each request once per connection. */
const KEYS_ASKED = 1000;
const SECONDS = 4;
const SEED = 7;

type Method = 'GET' | 'PUT';

function valueText(index: number): string {
  const bytes = Buffer.alloc(VALUE_BYTES);
  writeValue(bytes, 0, index);
  return bytes.toString('latin1');
}

function requestsOf(method: Method, keys: Uint32Array, wrong: string[]): autocannon.Request[] {
  return Array.from(keys, (key) => {
    const value = valueText(key);
    const path = `/v1/keys/${encodeURIComponent(keyText(key))}`;
    const onResponse = (status: number, body: string): void => {
      if (status >= 200 && status < 300 && (method === 'PUT' || body === value)) return;
      wrong.push(`${method} ${path} answered ${status} ${JSON.stringify(body.slice(0, 120))}`);
    };
    return method === 'GET'
      ? { method, path, onResponse }
      : { method, path, body: value, onResponse };
  });
}

function fire(options: autocannon.Options, latencies: Histogram): Promise<autocannon.Result> {
  return new Promise((resolve, reject) => {
    const instance = autocannon(options, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
    instance.on('response', (_client, _status, _bytes, ms) => {
      latencies.recordValue(Math.round(ms * TICKS_PER_MS));
    });
  });
}

function check(method: Method, result: autocannon.Result, wrong: readonly string[]): void {
  const { errors, timeouts, non2xx } = result;
  if (errors + timeouts + non2xx + wrong.length === 0 && result['2xx'] > 0) return;
  throw new Error(
    `HTTP ${method}: ${errors} errors, ${timeouts} timeouts, ${non2xx} refusals; ${wrong[0] ?? ''}`,
  );
}

async function run(method: Method, target: Target, settings: Settings): Promise<Row> {
  const { port, pid } = target.server;
  const latencies = newLatencies();
  const wrong: string[] = [];
  const keys = permutation(settings.keys, SEED).subarray(0, KEYS_ASKED);
  const options = {
    url: `http://127.0.0.1:${port}`,
    connections: settings.connections,
    duration: SECONDS,
    requests: requestsOf(method, keys, wrong),
  };
  const serverBefore = cpuSecondsOf(pid);
  const driverBefore = process.cpuUsage();
  const result = await fire(options, latencies);
  const driver = process.cpuUsage(driverBefore);
  const serverSeconds = cpuSecondsOf(pid) - serverBefore;
  check(method, result, wrong);
  return {
    system: 'orlop',
    scenario: `http ${method} ${settings.connections} connections`,
    opsPerSecond: result['2xx'] / result.duration,
    ...percentilesOf(latencies),
    cpuUsPerOp: (serverSeconds * 1e6) / result['2xx'],
    driverCpu: (driver.user + driver.system) / 1e6 / result.duration,
  };
}

/** Loads the HTTP door of a preloaded node, prints the table and returns the rows. */
export async function benchHttp(target: Target, settings: Settings): Promise<Row[]> {
  const rows = [await run('GET', target, settings), await run('PUT', target, settings)];
  const head = ['scenario', 'throughput', 'p50', 'p99', 'p99.9', 'server CPU', 'driver'];
  const lines = rows.map((row) => [
    row.scenario,
    ...figuresOf(row),
    `${((row.driverCpu ?? 0) * 100).toFixed(0)} %`,
  ]);
  settings.say(`${table(head, lines)}\nlatencies and server CPU per operation in µs`);
  return rows;
}
