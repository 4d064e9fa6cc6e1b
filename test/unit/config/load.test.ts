import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawGeometry } from '../../../src/arena/geometry.js';
import { packageFile } from '../../../src/base/packageRoot.js';
import { configOf, type Loaded, loadConfig } from '../../../src/config/load.js';
import type { Machine } from '../../../src/config/machine.js';
import { printSettings } from '../../../src/config/print.js';

const MIB = 1024 * 1024;
const machine: Machine = { cores: 8, memoryBytes: 2048 * MIB };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orlop-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function originOf(loaded: Loaded, name: string): string | undefined {
  return printSettings(loaded.settings).find((setting) => setting.name === name)?.origin;
}

describe('defaults', () => {
  it('fit the machine', () => {
    const { config } = loadConfig({ machine });
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 7700,
      threads: 7,
      memoryBytes: 512 * MIB,
      policy: 's3fifo',
      maxValueBytes: 16 * MIB,
    });
    expect('authToken' in config).toBe(false);
  });

  it('stay modest on a large machine and possible on a small one', () => {
    const large = loadConfig({ machine: { cores: 128, memoryBytes: 1024 * 1024 * MIB } }).config;
    expect(large.memoryBytes).toBe(1024 * MIB);
    const small = loadConfig({ machine: { cores: 1, memoryBytes: 128 * MIB } }).config;
    expect(small.threads).toBe(1);
    expect(small.memoryBytes).toBe(32 * MIB);
  });

  it('leave room for two of the largest values', () => {
    const { config } = loadConfig({ machine, flags: { 'max-value': '100mb' } });
    expect(config.maxPipelinedBytes).toBe(200 * MIB);
    expect(config.maxBackpressureBytes).toBe(200 * MIB);
  });
});

describe('precedence', () => {
  it('is flags, environment, file, defaults', () => {
    const file = write('all.yaml', 'port: 1\nmemory: 8mb\npolicy: fifo\n');
    const environment = { ORLOP_PORT: '2', ORLOP_MEMORY: '16mb' };
    const loaded = loadConfig({ machine, file, environment, flags: { port: '3' } });
    expect(loaded.config).toMatchObject({ port: 3, memoryBytes: 16 * MIB, policy: 'fifo' });
    expect(originOf(loaded, 'port')).toBe('flag --port');
    expect(originOf(loaded, 'memory')).toBe('environment ORLOP_MEMORY');
    expect(originOf(loaded, 'policy')).toBe(`file ${file}`);
    expect(originOf(loaded, 'threads')).toBe('default');
  });

  it('takes the file that ORLOP_CONFIG names, unless another is given', () => {
    const one = write('one.yaml', 'port: 1\n');
    const two = write('two.yaml', 'port: 2\n');
    const environment = { ORLOP_CONFIG: one };
    expect(loadConfig({ machine, environment }).config.port).toBe(1);
    expect(loadConfig({ machine, environment, file: two }).config.port).toBe(2);
  });

  it('passes over what is empty', () => {
    const file = write('empty.yaml', 'port:\n');
    expect(loadConfig({ machine, file, environment: { ORLOP_PORT: '' } }).config.port).toBe(7700);
    expect(loadConfig({ machine, file: write('blank.yaml', '# nothing\n') }).config.port).toBe(
      7700,
    );
  });
});

describe('refusals', () => {
  const refusal = (sources: Parameters<typeof loadConfig>[0]): string => {
    try {
      loadConfig({ machine, ...sources });
    } catch (error) {
      return (error as Error).message;
    }
    return 'accepted';
  };

  it('name the value, the place and what would do', () => {
    expect(refusal({ flags: { port: '99999' } })).toBe(
      'port: must be from 0 to 65535, got 99999 (flag --port)',
    );
    expect(refusal({ environment: { ORLOP_MEMORY: 'lots' } })).toMatch(
      /^memory: "lots" is not a size: .*512mb.*\(environment ORLOP_MEMORY\)$/,
    );
    expect(refusal({ flags: { policy: 'clock' } })).toBe(
      'policy: must be one of s3fifo, lru, lfu, tinylfu, sieve, fifo (flag --policy)',
    );
    expect(refusal({ file: write('list.yaml', 'port: [1, 2]\n') })).toMatch(
      /^port: must be a sing/,
    );
    expect(refusal({ flags: { threads: '1.5' } })).toMatch(/not a whole number/);
    expect(refusal({ flags: { 'frame-timeout': '2 hours' } })).toMatch(/not a time span/);
  });

  it('ask back about unknown names', () => {
    expect(refusal({ file: write('typo.yaml', 'memroy: 1gb\n') })).toMatch(
      /unknown key "memroy" in .*typo.yaml \(did you mean "memory"\?\)/,
    );
    expect(refusal({ file: write('proto.yaml', '__proto__: 1\n') })).toMatch(/unknown key/);
    expect(refusal({ environment: { ORLOP_MAXVALUE: '1mb' } })).toBe(
      'unknown environment variable ORLOP_MAXVALUE (did you mean "ORLOP_MAX_VALUE"?)',
    );
  });

  it('say what is wrong with the file', () => {
    expect(refusal({ file: join(folder, 'absent.yaml') })).toMatch(/there is no such file/);
    expect(refusal({ file: write('list-only.yaml', '- a\n- b\n') })).toMatch(/"name: value"/);
    expect(refusal({ file: write('broken.yaml', 'port: "1\n') })).toMatch(/not valid YAML/);
  });

  it('keep other machines out while there is no token', () => {
    expect(refusal({ flags: { host: '0.0.0.0' } })).toMatch(
      /refusing to listen on 0\.0\.0\.0 without a token.*ORLOP_AUTH_TOKEN.*127\.0\.0\.1/,
    );
    const token = { host: '0.0.0.0', 'auth-token': 'open-sesame' };
    expect(loadConfig({ machine, flags: token }).config.authToken).toBe('open-sesame');
  });

  it.each([
    ['0', '1kb'],
    ['1', '16mb'],
    ['8', '16mb'],
    ['2', '512mb'],
  ])('name the most memory that an arena takes with %s threads and values of %s', (...given) => {
    const [threads, maxValue] = given;
    const flags = { threads, 'max-value': maxValue, arenas: '1' };
    const message = refusal({ flags: { ...flags, memory: '8gb' } });
    const max = /each holds at most (\S+)\. Set arenas to \d or more/.exec(message)?.[1] ?? '';
    const { config } = loadConfig({ machine, flags: { ...flags, memory: max } });
    expect(config.memoryBytes).toBeGreaterThan(512 * MIB);
    expect(drawGeometry({ ...config, lanes: config.threads + 1 }).pages).toBeLessThan(65_536);
  });

  it('let memory be divided into arenas', () => {
    const { config } = loadConfig({ machine, flags: { memory: '12gb' } });
    expect([config.memoryBytes, config.arenas]).toEqual([12 * 1024 * MIB, 0]);
    const flags = { memory: '12gb', arenas: '5' };
    expect(loadConfig({ machine, flags }).config.arenas).toBe(5);
    expect(refusal({ flags: { memory: '512gb', threads: '63', 'max-value': '26mb' } })).toMatch(
      /more than a node holds: at most \d+mb with 63 threads/,
    );
    expect(refusal({ flags: { threads: '63', 'max-value': '100mb' } })).toMatch(
      /^63 threads and values up to 100mb leave no room/,
    );
    expect(refusal({ flags: { arenas: '257' } })).toMatch(/from 0 to 256/);
  });

  it('keep room for one frame', () => {
    const message = refusal({ flags: { 'max-pipelined': '2mb' } });
    expect(message).toMatch(/no room for one frame.*to 17mb or more/);
    expect(refusal({ flags: { 'max-pipelined': '17mb' } })).toBe('accepted');
    expect(refusal({ flags: { 'max-backpressure': '2mb' } })).toMatch(/no room for one frame/);
  });
});

describe('tokens', () => {
  it('are read from a file and never printed', () => {
    const path = write('token', '  swordfish\n');
    const loaded = loadConfig({ machine, environment: { ORLOP_AUTH_TOKEN_FILE: path } });
    expect(loaded.config.authToken).toBe('swordfish');
    const printed = JSON.stringify(printSettings(loaded.settings));
    expect(printed).not.toContain('swordfish');
    expect(printed).toContain('********');
  });

  it('of a stronger layer win over a file of a weaker one', () => {
    const path = write('weak', 'weak');
    const environment = { ORLOP_AUTH_TOKEN_FILE: path };
    const loaded = loadConfig({ machine, environment, flags: { 'auth-token': 'strong' } });
    expect(loaded.config.authToken).toBe('strong');
  });

  it('are not given twice in one place, not empty, and not shown when refused', () => {
    const both = { ORLOP_AUTH_TOKEN: 'a', ORLOP_AUTH_TOKEN_FILE: write('b', 'b') };
    expect(() => loadConfig({ machine, environment: both })).toThrow(/not both/);
    const empty = { 'auth-token-file': write('none', '\n') };
    expect(() => loadConfig({ machine, flags: empty })).toThrow(/visible ASCII/);
    const spaced = { 'auth-token': 'open sesame' };
    expect(() => loadConfig({ machine, flags: spaced })).toThrow(/^(?!.*open sesame)/);
  });
});

describe('a Kubernetes service called orlop', () => {
  it('does not configure the node by accident', () => {
    const environment = {
      ORLOP_PORT: 'tcp://10.0.0.7:7700',
      ORLOP_PORT_7700_TCP_ADDR: '10.0.0.7',
      ORLOP_SERVICE_HOST: '10.0.0.7',
      ORLOP_SERVICE_PORT_CACHE: '7700',
    };
    expect(loadConfig({ machine, environment }).config.port).toBe(7700);
  });
});

describe('the examples', () => {
  it.each(['dev.yaml', 'prod.yaml'])('%s is valid', (name) => {
    const { config } = loadConfig({ machine, file: packageFile('config', name) });
    expect(config.host).toBe('127.0.0.1');
  });
});

describe('configOf', () => {
  it('fills in the defaults of this machine', () => {
    expect(configOf({ port: '0' })).toMatchObject({ port: 0, policy: 's3fifo' });
  });
});

describe('the settings of a cluster', () => {
  const key = Buffer.alloc(32, 7).toString('base64');
  const configured = (flags: Readonly<Record<string, string>>) =>
    loadConfig({ machine, flags }).config.cluster;

  it('are those of a node alone on loopback', () => {
    expect(configured({})).toEqual({
      ...{ gossips: true, cluster: 'orlop', join: [], zone: '', weight: 1 },
      ...{ replicas: 3, strategy: 'multi-master', partitioner: 'hash' },
      ...{ replaceAfterMs: 600_000, maxSkewMs: 500 },
      ...{ rebalancePercent: 10, moveBytesPerSecond: 33_554_432 },
      ...{ splitBytes: 67_108_864, splitRequestsPerSecond: 1_000 },
    });
  });

  it('list the nodes to join', () => {
    const { join } = configured({ join: 'a:7701, 10.0.0.2:7711,[::1]:7721' });
    expect(join).toEqual(['a:7701', '10.0.0.2:7711', '[::1]:7721']);
  });

  it.each([
    ['join', 'a'],
    ['join', 'a:7701 b:7701'],
    ['name', 'a b'],
    ['name', '-a'],
    ['cluster', ''],
    ['advertise', 'node-1'],
    ['weight', '1001'],
    ['zone', 'a b'],
    ['replicas', '8'],
    ['strategy', 'best'],
    ['partitioner', 'crush'],
    ['replace-after', '999ms'],
    ['max-skew', '2h'],
    ['gossip-port', '65536'],
    ['cluster-key', 'secret'],
  ])('refuse %s %s', (name, value) => {
    expect(() => configured({ [name]: value })).toThrow(new RegExp(`^${name}: `));
  });

  it('never repeat a key that makes no sense', () => {
    expect(() => configured({ 'cluster-key': 'my secret words' })).toThrow(/^(?!.*secret)/);
  });

  it('want a key where other machines could take part', () => {
    const open = { host: '0.0.0.0', 'auth-token': 'x' };
    for (const [name, value] of [
      ['join', 'a:1'],
      ['join-file', '/x'],
      ['gossip-port', '1'],
      ['advertise', '10.0.0.1'],
    ] as const) {
      const refusal = new RegExp(`refusing to gossip on 0.0.0.0 without a key.*leave ${name} out`);
      expect(() => configured({ ...open, [name]: value })).toThrow(refusal);
    }
    expect(() => configured({ advertise: '10.0.0.1' })).toThrow(/refusing to gossip on 10.0.0.1/);
    expect(configured({ ...open, join: 'a:1', 'cluster-key': key }).gossips).toBe(true);
  });

  it('leave a node alone that is reachable and has no key', () => {
    expect(configured({ host: '0.0.0.0', 'auth-token': 'x' }).gossips).toBe(false);
  });

  it('take keys from a file, the first of which seals', () => {
    const hex = Buffer.alloc(32, 9).toString('hex');
    const file = write('keys', `${hex}\n# the one before\n${key}\n`);
    expect(() => configured({ 'cluster-key-file': file })).toThrow(/is open to others/);
    chmodSync(file, 0o600);
    const { keys, keyFile } = configured({ 'cluster-key-file': file });
    expect(keys?.map((bytes) => bytes[0])).toEqual([9, 7]);
    expect(keyFile).toBe(file);
    const both = { 'cluster-key-file': file, 'cluster-key': key };
    expect(() => configured(both)).toThrow('give cluster-key or cluster-key-file, not both');
  });

  it('need a port to gossip on', () => {
    expect(() => configured({ port: '65535' })).toThrow(/set gossip-port/);
    expect(configured({ port: '65535', 'gossip-port': '7701' }).gossipPort).toBe(7701);
  });
});
