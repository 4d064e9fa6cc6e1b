import type { Command } from 'commander';
import { formatDuration } from '../../base/durations.js';
import { type AccessFlags, withAccess, withLevel } from '../access.js';
import { type Session, say, warn } from '../context.js';
import { EXIT, type ExitCode } from '../exitCodes.js';
import { jsonText } from '../shownValue.js';
import { withClient } from '../withClient.js';

interface TtlFlags extends AccessFlags {
  readonly ms?: boolean;
}

const EXAMPLES = `
Examples:
  orlop ttl session:7                         prints 29.5m, or never
  orlop ttl session:7 --ms                    prints 1770000, or -1 for never`;

function shown(ttlMs: number | undefined, inMs: boolean): string {
  if (inMs) return String(ttlMs ?? -1);
  return ttlMs === undefined ? 'never' : formatDuration(ttlMs);
}

async function ttl(key: string, flags: TtlFlags, session: Session): Promise<void> {
  await withClient(flags, session, async (client): Promise<ExitCode> => {
    const item = await client.getWithMeta(key);
    const found = item !== undefined;
    if (flags.json) say(session, jsonText({ key, found, ttlMs: item?.ttlMs ?? null }));
    else if (!found) warn(session, `orlop: there is no key "${key}"`);
    else say(session, shown(item.ttlMs, flags.ms === true));
    return found ? EXIT.ok : EXIT.negative;
  });
}

/** `orlop ttl KEY` */
export function define(command: Command, session: Session): void {
  withLevel(withAccess(command))
    .description('Prints how long a key still lives.')
    .argument('<key>', 'the key')
    .option('--ms', 'print milliseconds')
    .addHelpText('after', EXAMPLES)
    .action((key: string, flags: TtlFlags) => ttl(key, flags, session));
}
