import { Command } from 'commander';
import { VERSION } from '../base/version.js';
import type { Session } from './context.js';
import { EXIT_CODES_HELP } from './exitCodes.js';

const EXAMPLES = `
Examples:
  orlop serve &
  orlop set greeting hello
  orlop get greeting
  orlop set session:7 - --ttl 30m < session.json
  orlop scan --prefix session: --json

${EXIT_CODES_HELP}`;

/** A command in the list: its module is loaded only if it is the one that is asked for. */
interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ define(command: Command, session: Session): void }>;
}

/** In the order in which the help lists them. */
const ENTRIES: readonly Entry[] = [
  { name: 'serve', summary: 'start a node', load: () => import('./commands/serve.js') },
  {
    name: 'config',
    summary: 'show each setting and where it comes from',
    load: () => import('./commands/config.js'),
  },
  { name: 'get', summary: 'print a value', load: () => import('./commands/get.js') },
  { name: 'set', summary: 'store a value', load: () => import('./commands/set.js') },
  { name: 'del', summary: 'delete keys', load: () => import('./commands/del.js') },
  { name: 'incr', summary: 'add to a counter', load: () => import('./commands/incr.js') },
  {
    name: 'touch',
    summary: 'change when a key expires',
    load: () => import('./commands/touch.js'),
  },
  {
    name: 'ttl',
    summary: 'print how long a key still lives',
    load: () => import('./commands/ttl.js'),
  },
  { name: 'scan', summary: 'list keys', load: () => import('./commands/scan.js') },
  { name: 'clear', summary: 'remove every key', load: () => import('./commands/clear.js') },
  {
    name: 'ping',
    summary: 'ask whether the node answers',
    load: () => import('./commands/ping.js'),
  },
  {
    name: 'stats',
    summary: 'print what the node counts',
    load: () => import('./commands/stats.js'),
  },
  {
    name: 'backup',
    summary: 'write every item to a file',
    load: () => import('./commands/backup.js'),
  },
  {
    name: 'restore',
    summary: 'set every item of a backup',
    load: () => import('./commands/restore.js'),
  },
  {
    name: 'log',
    summary: "look into a log's folder and repair it",
    load: () => import('./commands/log.js'),
  },
  {
    name: 'cluster',
    summary: 'look into a cluster and change it',
    load: () => import('./commands/cluster.js'),
  },
  {
    name: 'dev',
    summary: 'run a cluster on this machine',
    load: () => import('./commands/dev.js'),
  },
  { name: 'bench', summary: 'measure this machine', load: () => import('./commands/bench.js') },
];

function emptyProgram(session: Session): Command {
  return new Command('orlop')
    .description('A cache that is a server, a client and a part of your program.')
    .version(VERSION, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .showHelpAfterError('(add --help for examples)')
    .configureOutput({
      writeOut: (text) => session.stdout.write(text),
      writeErr: (text) => session.stderr.write(text),
    });
}

/** `orlop get …` and `orlop help get` are about `get`. */
function commandNamed(args: readonly string[]): string | undefined {
  return args[0] === 'help' ? args[1] : args[0];
}

/**
 * The command line as commander sees it; of all commands only the one that `args` name is whole.
 */
export async function buildProgram(args: readonly string[], session: Session): Promise<Command> {
  const program = emptyProgram(session);
  const named = commandNamed(args);
  for (const { name, summary, load } of ENTRIES) {
    const command = program.command(name).summary(summary);
    if (name === named) (await load()).define(command, session);
  }
  return program;
}
