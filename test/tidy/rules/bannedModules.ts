import { importsOf } from '../support/imports.js';
import type { Finding, Source } from '../support/sources.js';
import { at } from '../support/syntax.js';

/** Modules that only some files may import, and where the others turn. */
interface Ban {
  readonly modules: RegExp;
  readonly allowedIn: RegExp;
  readonly instead: string;
}

/** The rooms and single files that may touch files. */
const FILES_IN = new RegExp(
  `^src/(${[
    'base/packageRoot',
    'config/readFile',
    'log/(device|asyncDevice|lock)',
    '(arena|observe|cli|cli/commands)/\\w+',
  ].join('|')})\\.ts$`,
);

const BANS: readonly Ban[] = [
  {
    modules: /^(node:)?(net|tls|http|https|http2|dgram)$|^ws$|^uWebSockets\.js$/,
    allowedIn: /^src\/(net|client|cli\/http|gossip\/udp)\b|^workers\//,
    instead: 'sockets live in src/net, src/client and src/gossip/udp.ts',
  },
  {
    modules: /^(node:)?fs(\/promises)?$/,
    allowedIn: FILES_IN,
    instead: 'files are read at the rim: take the bytes or a Device as an argument',
  },
  {
    modules: /^(node:)?timers(\/promises)?$/,
    allowedIn: /^src\/base\/timers\.ts$/,
    instead: 'take Timers (src/base/timers.ts) as an argument',
  },
  {
    modules: /^(pino|pino-pretty|prom-client)$/,
    allowedIn: /^src\/(observe\/|node\.ts)/,
    instead: 'logs and metrics live in src/observe',
  },
  {
    modules: /^(commander|cli-table3)$/,
    allowedIn: /^src\/(cli\/|main\.ts)/,
    instead: 'the command line lives in src/cli',
  },
  {
    modules: /^(zod|yaml)$/,
    allowedIn: /^src\/config\//,
    instead: 'configuration is read and checked in src/config',
  },
];

/** Sockets, files, logs and the command line have their rooms. */
export function bannedModules(source: Source): Finding[] {
  return importsOf(source).flatMap(({ specifier, node, typeOnly }) => {
    if (typeOnly) return [];
    const ban = BANS.find(
      ({ modules, allowedIn }) => modules.test(specifier) && !allowedIn.test(source.path),
    );
    return ban === undefined ? [] : [at(source, node, `${specifier}: ${ban.instead}`)];
  });
}
