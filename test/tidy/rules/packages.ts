import type { Finding } from '../support/sources.js';

type Versions = Readonly<Record<string, string>>;

const EXACT = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;

/** Versions that leave a choice to the day of the installation. */
export function looseVersions(manifest: Readonly<Record<string, unknown>>): Finding[] {
  const groups = ['dependencies', 'devDependencies', 'optionalDependencies'];
  return groups.flatMap((group) =>
    Object.entries((manifest[group] ?? {}) as Versions)
      .filter(([, version]) => !EXACT.test(version))
      .map(([name, version]) => `package.json ${group} ${name} ${version}: name one exact version`),
  );
}

/** Places in a lockfile that name the host of a registry. */
export function registryHosts(lockfile: string): Finding[] {
  return lockfile.split('\n').flatMap((line, index) => {
    const host = /"resolved": "(https?:\/\/[^/"]+)/.exec(line)?.[1];
    if (host === undefined) return [];
    return [
      `package-lock.json:${index + 1} ${host}: npm install --omit-lockfile-registry-resolved`,
    ];
  });
}
