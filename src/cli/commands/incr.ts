import type { Command } from 'commander';
import { type AccessFlags, withAccess, withLevel } from '../access.js';
import { type Session, say, warn } from '../context.js';
import { EXIT, type ExitCode } from '../exitCodes.js';
import { parseWhole } from '../numbers.js';
import { jsonText } from '../shownValue.js';
import { withClient } from '../withClient.js';

interface IncrFlags extends AccessFlags {
  readonly initial?: string;
  readonly ttl?: string;
  readonly ifPresent?: boolean;
}

const EXAMPLES = `
Examples:
  orlop incr visits                           prints what the counter is now
  orlop incr visits 10
  orlop incr stock:7 -1 --if-present
  orlop incr limit:7 --ttl 1m                 the first call starts the minute`;

async function incr(key: string, by: string, flags: IncrFlags, session: Session): Promise<void> {
  const delta = parseWhole(by, 'what is added');
  const initial = flags.initial === undefined ? undefined : parseWhole(flags.initial, '--initial');
  const { ttl, ifPresent } = flags;
  await withClient(flags, session, async (client): Promise<ExitCode> => {
    const value = await client.incr(key, delta, { initial, ttl, ifPresent });
    if (flags.json) say(session, jsonText({ key, value: value ?? null }));
    else if (value === undefined) warn(session, `orlop: there is no counter "${key}"`);
    else say(session, String(value));
    return value === undefined ? EXIT.negative : EXIT.ok;
  });
}

/** `orlop incr KEY [BY]` */
export function define(command: Command, session: Session): void {
  withLevel(withAccess(command))
    .description('Adds to a counter and prints what it is then; an absent one starts from 0.')
    .argument('<key>', 'the key')
    .argument('[by]', 'what is added; may be negative', '1')
    .option('--initial <number>', 'what an absent counter starts from')
    .option('--ttl <time>', 'time to live of a counter that this creates')
    .option('--if-present', 'only if the counter is present')
    .addHelpText('after', EXAMPLES)
    .action((key: string, by: string, flags: IncrFlags) => incr(key, by, flags, session));
}
