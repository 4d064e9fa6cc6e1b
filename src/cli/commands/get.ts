import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { formatDuration } from '../../base/durations.js';
import type { Meta } from '../../protocol/verbs.js';
import { type AccessFlags, withAccess, withLevel } from '../access.js';
import { type Session, say, warn } from '../context.js';
import { EXIT, type ExitCode } from '../exitCodes.js';
import { fileBytes, jsonText, jsonValue, shownValue } from '../shownValue.js';
import { withClient } from '../withClient.js';

interface GetFlags extends AccessFlags {
  readonly out?: string;
  readonly meta?: boolean;
}

const EXAMPLES = `
Examples:
  orlop get greeting
  orlop get greeting --meta                   version and time to live too
  orlop get photo:7 --out photo.jpg           the exact bytes
  orlop get session:7 --json | jq .value
  orlop get lock || echo "nobody holds it"    ends with 1 when there is no such key`;

function asJson(key: string, item: Meta<unknown> | undefined): string {
  if (item === undefined) return jsonText({ key, found: false });
  const { version, ttlMs = null } = item;
  return jsonText({ key, found: true, ...jsonValue(item.value), version, ttlMs });
}

function describe(item: Meta<unknown>): string {
  const expiry = item.ttlMs === undefined ? 'never expires' : `${formatDuration(item.ttlMs)} left`;
  return `version ${item.version}, ${expiry}`;
}

function show(item: Meta<unknown>, flags: GetFlags, session: Session): void {
  if (flags.out === undefined) {
    session.stdout.write(shownValue(item.value, session.stdout.isTTY === true));
  } else {
    writeFileSync(flags.out, fileBytes(item.value));
  }
  if (flags.meta) warn(session, describe(item));
}

async function get(key: string, flags: GetFlags, session: Session): Promise<void> {
  await withClient(flags, session, async (client): Promise<ExitCode> => {
    const item = await client.getWithMeta(key);
    if (flags.json) say(session, asJson(key, item));
    else if (item === undefined) warn(session, `orlop: there is no key "${key}"`);
    else show(item, flags, session);
    return item === undefined ? EXIT.negative : EXIT.ok;
  });
}

/** `orlop get KEY` */
export function define(command: Command, session: Session): void {
  withLevel(withAccess(command))
    .description('Prints the value of a key: text, JSON, or the exact bytes into a pipe.')
    .argument('<key>', 'the key')
    .option('--out <file>', 'write the value into a file')
    .option('--meta', 'print version and time to live to standard error')
    .addHelpText('after', EXAMPLES)
    .action((key: string, flags: GetFlags) => get(key, flags, session));
}
