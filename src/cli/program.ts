import { Command } from 'commander';
import { VERSION } from '../base/version.js';
import { addBench } from './commands/bench.js';
import { addClear } from './commands/clear.js';
import { addConfig } from './commands/config.js';
import { addDel } from './commands/del.js';
import { addGet } from './commands/get.js';
import { addIncr } from './commands/incr.js';
import { addPing } from './commands/ping.js';
import { addScan } from './commands/scan.js';
import { addServe } from './commands/serve.js';
import { addSet } from './commands/set.js';
import { addStats } from './commands/stats.js';
import { addTouch } from './commands/touch.js';
import { addTtl } from './commands/ttl.js';
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

/** In the order in which the help lists them. */
const COMMANDS: readonly ((program: Command, session: Session) => void)[] = [
  addServe,
  addConfig,
  addGet,
  addSet,
  addDel,
  addIncr,
  addTouch,
  addTtl,
  addScan,
  addClear,
  addPing,
  addStats,
  addBench,
];

/** The command line as commander sees it. */
export function buildProgram(session: Session): Command {
  const program = new Command('orlop')
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
  for (const add of COMMANDS) add(program, session);
  return program;
}
