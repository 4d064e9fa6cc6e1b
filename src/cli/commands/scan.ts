import type { Command } from 'commander';
import { type AccessFlags, withAccess } from '../access.js';
import { keepPace, type Session, say } from '../context.js';
import { EXIT, type ExitCode } from '../exitCodes.js';
import { parseCount } from '../numbers.js';
import { harmless, jsonText } from '../shownValue.js';
import { withClient } from '../withClient.js';

interface ScanFlags extends AccessFlags {
  readonly prefix?: string;
  readonly count?: string;
}

const EXAMPLES = `
Examples:
  orlop scan                                  every key, one on each line
  orlop scan --prefix session: --count 20
  orlop scan --json | jq -r .key

Keys that stay during the whole scan are printed; one that moves may be printed twice.`;

const PAGE_KEYS = 1_000;

async function scan(flags: ScanFlags, session: Session): Promise<void> {
  const most =
    flags.count === undefined
      ? Number.POSITIVE_INFINITY
      : parseCount(flags.count, '--count', 1, Number.MAX_SAFE_INTEGER);
  const isTerminal = session.stdout.isTTY === true;
  await withClient(flags, session, async (client): Promise<ExitCode> => {
    let seen = 0;
    const pageSize = Math.min(most, PAGE_KEYS);
    for await (const key of client.scan({ prefix: flags.prefix, pageSize })) {
      say(session, flags.json ? jsonText({ key }) : isTerminal ? harmless(key) : key);
      await keepPace(session);
      seen += 1;
      if (seen >= most) break;
    }
    return EXIT.ok;
  });
}

/** `orlop scan` */
export function define(command: Command, session: Session): void {
  withAccess(command)
    .description('Lists keys, in no order, while others go on reading and writing.')
    .option('--prefix <text>', 'only keys that begin with this')
    .option('--count <number>', 'stop after this many keys')
    .addHelpText('after', EXAMPLES)
    .action((flags: ScanFlags) => scan(flags, session));
}
