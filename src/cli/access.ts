import { type Command, Option } from 'commander';
import { parseDuration } from '../base/durations.js';
import { InputError } from '../base/errors.js';
import type { Level } from '../client/options.js';
import { readTokenFile } from '../config/tokenFile.js';
import type { Context } from './context.js';
import { DEFAULT_URL } from './nodeAddress.js';

/** The flags that every command has that talks to a node. */
export interface AccessFlags {
  readonly url?: string;
  readonly authToken?: string;
  readonly authTokenFile?: string;
  readonly timeout: string;
  readonly json?: boolean;
  /** Only where `withLevel` adds it. */
  readonly level?: Level;
  /** The file of a session; only where `withLevel` adds it. */
  readonly session?: string;
}

/** How to reach a node. */
export interface Access {
  /** The first address, for what only one node is asked. */
  readonly url: string;
  /** All addresses, at least one. */
  readonly urls: readonly string[];
  readonly token: string | undefined;
  /** How long one call may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** Adds the flags of `AccessFlags` to a command. */
export function withAccess(command: Command): Command {
  return command
    .option('--url <addresses>', `a node or several, by default ORLOP_URL or ${DEFAULT_URL}`)
    .option('--auth-token <token>', 'the token; better given as ORLOP_AUTH_TOKEN')
    .option('--auth-token-file <file>', 'a file that holds the token')
    .option('--timeout <time>', 'how long to wait for an answer', '5s')
    .option('--json', 'print JSON, for programs');
}

/** Adds the flags of a command that reads or writes keys. */
export function withLevel(command: Command): Command {
  const levels: readonly Level[] = ['one', 'quorum', 'all'];
  return command
    .addOption(
      new Option('--level <level>', 'how many owners of the key have to answer').choices(levels),
    )
    .option('--session <file>', 'see, on any node, what commands with the same file have written');
}

/** An empty variable counts as none. */
function variable(context: Context, name: string): string | undefined {
  return context.environment[name] || undefined;
}

/** Flags win over variables; within each, the token itself and a file of it exclude each other. */
function tokenOf(flags: AccessFlags, context: Context): string | undefined {
  const places = [
    [flags.authToken, flags.authTokenFile],
    [variable(context, 'ORLOP_AUTH_TOKEN'), variable(context, 'ORLOP_AUTH_TOKEN_FILE')],
  ];
  for (const [token, file] of places) {
    if (token !== undefined && file !== undefined) {
      throw new InputError('give the token or a file that holds it, not both');
    }
    if (token !== undefined) return token;
    if (file !== undefined) return readTokenFile(file);
  }
  return undefined;
}

/** How to reach the node that flags and environment name. Throws `InputError`. */
export function accessOf(flags: AccessFlags, context: Context): Access {
  const timeoutMs = parseDuration(flags.timeout);
  if (timeoutMs < 1) throw new InputError('--timeout must be at least 1ms');
  const given = flags.url ?? variable(context, 'ORLOP_URL') ?? DEFAULT_URL;
  const urls = given.split(',').map((url) => url.trim());
  return {
    url: urls[0] ?? given,
    urls,
    token: tokenOf(flags, context),
    timeoutMs,
  };
}
