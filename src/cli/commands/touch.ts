import type { Command } from 'commander';
import { InputError } from '../../base/errors.js';
import { type AccessFlags, withAccess, withLevel } from '../access.js';
import { type Session, say, warn } from '../context.js';
import { EXIT, type ExitCode } from '../exitCodes.js';
import { jsonText } from '../shownValue.js';
import { withClient } from '../withClient.js';

interface TouchFlags extends AccessFlags {
  readonly ttl?: string;
  readonly persist?: boolean;
}

const EXAMPLES = `
Examples:
  orlop touch session:7 --ttl 30m
  orlop touch session:7 --persist             never expires`;

async function touch(key: string, flags: TouchFlags, session: Session): Promise<void> {
  if ((flags.ttl === undefined) === (flags.persist === undefined)) {
    throw new InputError('give either --ttl TIME or --persist');
  }
  await withClient(flags, session, async (client): Promise<ExitCode> => {
    const touched = await client.touch(key, flags.ttl ?? 'never');
    if (flags.json) say(session, jsonText({ key, touched }));
    else if (!touched) warn(session, `orlop: there is no key "${key}"`);
    else if (session.stdout.isTTY) say(session, 'OK');
    return touched ? EXIT.ok : EXIT.negative;
  });
}

/** `orlop touch KEY` */
export function define(command: Command, session: Session): void {
  withLevel(withAccess(command))
    .description('Changes when a key expires, and leaves its value as it is.')
    .argument('<key>', 'the key')
    .option('--ttl <time>', 'time to live from now on, such as 10s')
    .option('--persist', 'let it never expire')
    .addHelpText('after', EXAMPLES)
    .action((key: string, flags: TouchFlags) => touch(key, flags, session));
}
