/** The package as other packages import it: by its name, from what is built. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { packageFile, packageRoot } from '../../src/base/packageRoot.js';
import { plainEnvironment } from './support/server.js';

/** Runs a module in a process of its own; a package may import itself by its name. */
function runModule(code: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: packageRoot(),
    env: plainEnvironment(),
    encoding: 'utf8',
    timeout: 60_000,
  });
}

describe('the package', () => {
  it.each([
    ['orlop', ['connect', 'createCache', 'attachCache', 'OrlopError']],
    ['orlop/server', ['startNode', 'configOf']],
    ['orlop/client', ['connect', 'TimeoutError', 'OrlopError']],
    ['orlop/embedded', ['createCache', 'attachCache']],
  ])('%s offers what the README says', (name, exports) => {
    const code = `console.log(JSON.stringify(Object.keys(await import('${name}'))))`;
    const { stdout, stderr } = runModule(code);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(expect.arrayContaining(exports));
  });

  it('has types where its entries say', () => {
    const { exports } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'));
    const types = Object.values(exports).flatMap((entry) =>
      typeof entry === 'object' && entry !== null && 'types' in entry ? [String(entry.types)] : [],
    );
    expect(types).toHaveLength(4);
    for (const path of types) expect(readFileSync(packageFile(path), 'utf8')).toContain('export');
  });

  it('runs a node, a client and a cache in one program', () => {
    const { stdout, stderr, status } = runModule(`
      import { connect } from 'orlop/client';
      import { createCache } from 'orlop/embedded';
      import { configOf, startNode } from 'orlop/server';

      const node = await startNode(configOf({ port: '0', memory: '64mb', 'log-level': 'silent' }));
      const cache = connect('ws://127.0.0.1:' + node.port);
      await cache.set('user:7', { name: 'Ada' }, { ttl: '10m' });
      console.log(JSON.stringify(await cache.get('user:7')));
      await cache.close();
      await node.close();

      const local = createCache({ memory: '16mb', maxThreads: 1, maxValue: '64kb' });
      local.set('greeting', 'hello', { ttl: '10m' });
      console.log(local.get('greeting'));
      local.close();
    `);
    expect(stderr).toBe('');
    expect(stdout).toBe('{"name":"Ada"}\nhello\n');
    expect(status).toBe(0);
  });
});
