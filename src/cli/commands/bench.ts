import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { InputError } from '../../base/errors.js';
import { packageFile } from '../../base/packageRoot.js';
import type { Session } from '../context.js';
import { EXIT, type ExitCode } from '../exitCodes.js';

/** A few seconds of load on a small store: enough to see whether something is badly wrong. */
const QUICK = ['load', '--keys', '100000', '--rounds', '1', '--seconds', '1'];

const EXAMPLES = `
Examples:
  orlop bench                                 a quick load on a node of its own
  orlop bench load --connections 100 --seconds 5
  orlop bench scale --scale-threads 2
  orlop bench peers --json                    beside redis-server and memcached
  orlop bench -- --help                       all that the benches can do

Ratios within one run tell something; figures of different runs or machines do not.`;

function exitCodeOf(code: number | null): ExitCode {
  return code === 0 ? EXIT.ok : EXIT.server;
}

/** The benches run in a process of their own, so that the command line weighs nothing in them. */
function bench(args: readonly string[], session: Session): Promise<void> {
  const main = packageFile('dist', 'bench', 'main.js');
  if (!existsSync(main)) throw new InputError(`the benches are not built: ${main} is missing`);
  const given = args.length === 0 ? QUICK : args;
  const child = spawn(process.execPath, [main, ...given], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      session.exitCode = exitCodeOf(code);
      resolve();
    });
  });
}

/** `orlop bench` */
export function define(command: Command, session: Session): void {
  command
    .description('Starts a node of its own, loads it, and prints what it did.')
    .argument('[args...]', 'which bench, and its flags')
    .allowUnknownOption()
    .addHelpText('after', EXAMPLES)
    .action((args: string[]) => bench(args, session));
}
