import type { Command } from 'commander';
import { InputError } from '../../base/errors.js';
import { type AccessFlags, withAccess } from '../access.js';
import { type Session, say } from '../context.js';
import { EXIT, type ExitCode } from '../exitCodes.js';
import { jsonText } from '../shownValue.js';
import { withClient } from '../withClient.js';

interface ClearFlags extends AccessFlags {
  readonly yes?: boolean;
}

const EXAMPLES = `
Examples:
  orlop clear --yes`;

async function clear(flags: ClearFlags, session: Session): Promise<void> {
  if (!flags.yes) throw new InputError('clear removes every key: repeat it with --yes');
  await withClient(flags, session, async (client): Promise<ExitCode> => {
    await client.clear();
    if (flags.json) say(session, jsonText({ cleared: true }));
    else if (session.stdout.isTTY) say(session, 'OK');
    return EXIT.ok;
  });
}

/** `orlop clear` */
export function define(command: Command, session: Session): void {
  withAccess(command)
    .description('Removes every key of the node.')
    .option('--yes', 'really do it')
    .addHelpText('after', EXAMPLES)
    .action((flags: ClearFlags) => clear(flags, session));
}
