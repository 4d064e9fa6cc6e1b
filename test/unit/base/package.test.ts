import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codeOf, InputError, messageOf } from '../../../src/base/errors.js';
import { packageFile, packageRoot } from '../../../src/base/packageRoot.js';
import { VERSION } from '../../../src/base/version.js';

describe('packageRoot', () => {
  const manifest = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'));

  it('is the folder with our package.json', () => {
    expect(manifest.name).toBe('orlop');
    expect(packageFile('src', 'base')).toBe(`${packageRoot()}/src/base`);
  });

  it('bears the version that the code states', () => {
    expect(VERSION).toBe(manifest.version);
  });
});

describe('errors', () => {
  it('have a message and perhaps a code, whatever was thrown', () => {
    expect(messageOf(new InputError('no'))).toBe('no');
    expect(messageOf('thrown text')).toBe('thrown text');
    expect(codeOf(Object.assign(new Error('gone'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(codeOf({ code: 7 })).toBeUndefined();
    expect(codeOf(null)).toBeUndefined();
  });
});
