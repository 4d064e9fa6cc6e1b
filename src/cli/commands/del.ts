import type { Command } from 'commander';
import { InputError } from '../../base/errors.js';
import { type AccessFlags, withAccess, withLevel } from '../access.js';
import { type Session, say, warn } from '../context.js';
import { EXIT, type ExitCode } from '../exitCodes.js';
import { parseVersion } from '../numbers.js';
import { jsonText } from '../shownValue.js';
import { withClient } from '../withClient.js';

interface DelFlags extends AccessFlags {
  readonly ifVersion?: string;
}

const EXAMPLES = `
Examples:
  orlop del greeting
  orlop del session:7 session:8
  orlop scan --prefix session: | xargs orlop del

Prints how many keys were there; ends with 1 when none was.`;

async function del(keys: readonly string[], flags: DelFlags, session: Session): Promise<void> {
  const ifVersion = parseVersion(flags.ifVersion);
  if (ifVersion !== undefined && keys.length > 1) {
    throw new InputError('--if-version makes sense for one key only');
  }
  await withClient(flags, session, async (client): Promise<ExitCode> => {
    const deleted = await Promise.all(keys.map((key) => client.del(key, { ifVersion })));
    const count = deleted.filter(Boolean).length;
    if (flags.json) say(session, jsonText({ deleted: count }));
    else if (session.stdout.isTTY || keys.length > 1) say(session, String(count));
    if (count > 0) return EXIT.ok;
    if (!flags.json) warn(session, 'orlop: nothing was deleted');
    return EXIT.negative;
  });
}

/** `orlop del KEY…` */
export function define(command: Command, session: Session): void {
  withLevel(withAccess(command))
    .description('Deletes keys.')
    .argument('<keys...>', 'the keys')
    .option('--if-version <version>', 'only if the item has this version')
    .addHelpText('after', EXAMPLES)
    .action((keys: string[], flags: DelFlags) => del(keys, flags, session));
}
