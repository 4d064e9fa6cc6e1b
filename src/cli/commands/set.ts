import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { InputError, messageOf } from '../../base/errors.js';
import type { Refusal, SetOptions } from '../../protocol/verbs.js';
import { type AccessFlags, withAccess, withLevel } from '../access.js';
import { type Input, type Session, say, warn } from '../context.js';
import { EXIT, type ExitCode } from '../exitCodes.js';
import { parseVersion } from '../numbers.js';
import { jsonText } from '../shownValue.js';
import { withClient } from '../withClient.js';

interface SetFlags extends AccessFlags {
  readonly file?: string;
  readonly as?: string;
  readonly ttl?: string;
  readonly keepTtl?: boolean;
  readonly ifAbsent?: boolean;
  readonly ifPresent?: boolean;
  readonly ifVersion?: string;
}

const EXAMPLES = `
Examples:
  orlop set greeting hello
  orlop set session:7 '{"user":7}' --as data --ttl 30m
  orlop set photo:7 --file photo.jpg
  date | orlop set now - --as text
  orlop set lock me --if-absent --ttl 10s || echo "somebody else has it"

A value from a file or from standard input (-) is kept as bytes, one on the command line as text.`;

const REFUSALS: Readonly<Record<Refusal, string>> = {
  exists: 'the key is there already',
  absent: 'there is no such key',
  version: 'the item has another version',
};

async function readAll(input: Input): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** The value as it was given, and the form it is kept in unless `--as` says otherwise. */
async function givenValue(
  value: string | undefined,
  flags: SetFlags,
  session: Session,
): Promise<{ bytes: Buffer; as: string }> {
  if ((value === undefined) === (flags.file === undefined)) {
    throw new InputError('give a value, or - for standard input, or --file FILE');
  }
  if (flags.file !== undefined) return { bytes: readFileSync(flags.file), as: 'bytes' };
  if (value === '-') return { bytes: await readAll(session.stdin), as: 'bytes' };
  return { bytes: Buffer.from(value ?? ''), as: 'text' };
}

function inForm(bytes: Buffer, as: string): unknown {
  if (as === 'bytes') return bytes;
  if (as !== 'text' && as !== 'data') {
    throw new InputError(`--as must be text, bytes or data, not "${as}"`);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return as === 'text' ? text : JSON.parse(text);
  } catch (error) {
    const form = as === 'text' ? 'UTF-8 text: store it --as bytes' : `JSON: ${messageOf(error)}`;
    throw new InputError(`the value is not ${form}`);
  }
}

function optionsOf(flags: SetFlags): SetOptions {
  return {
    ttl: flags.ttl,
    keepTtl: flags.keepTtl,
    ifAbsent: flags.ifAbsent,
    ifPresent: flags.ifPresent,
    ifVersion: parseVersion(flags.ifVersion),
  };
}

async function set(
  key: string,
  given: string | undefined,
  flags: SetFlags,
  session: Session,
): Promise<void> {
  const { bytes, as } = await givenValue(given, flags, session);
  const value = inForm(bytes, flags.as ?? as);
  await withClient(flags, session, async (client): Promise<ExitCode> => {
    const result = await client.setWithMeta(key, value, optionsOf(flags));
    const { stored, refusal, version, ttlMs = null } = result;
    if (flags.json) say(session, jsonText({ key, stored, refusal, version, ttlMs }));
    else if (refusal !== undefined) warn(session, `orlop: not stored: ${REFUSALS[refusal]}`);
    else if (session.stdout.isTTY) say(session, 'OK');
    return stored ? EXIT.ok : EXIT.negative;
  });
}

/** `orlop set KEY VALUE` */
export function define(command: Command, session: Session): void {
  withLevel(withAccess(command))
    .description('Stores a value under a key.')
    .argument('<key>', 'the key')
    .argument('[value]', 'the value, or - to read it from standard input')
    .option('--file <file>', 'read the value from a file')
    .option('--as <form>', 'keep it as text, bytes or data (the value is JSON)')
    .option('--ttl <time>', 'time to live, such as 10s; without it the item never expires')
    .option('--keep-ttl', 'leave the time to live of a present item as it is')
    .option('--if-absent', 'only if the key is absent')
    .option('--if-present', 'only if the key is present')
    .option('--if-version <version>', 'only if the item has this version')
    .addHelpText('after', EXAMPLES)
    .action((key: string, value: string | undefined, flags: SetFlags) =>
      set(key, value, flags, session),
    );
}
