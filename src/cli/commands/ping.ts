import type { Command } from 'commander';
import { formatDuration } from '../../base/durations.js';
import { type AccessFlags, withAccess } from '../access.js';
import { type Session, say } from '../context.js';
import { EXIT, type ExitCode } from '../exitCodes.js';
import { parseCount } from '../numbers.js';
import { jsonText } from '../shownValue.js';
import { withClient } from '../withClient.js';

interface PingFlags extends AccessFlags {
  readonly count: string;
}

const EXAMPLES = `
Examples:
  orlop ping                                  ends with 0 when the node answers
  orlop ping --count 10
  until orlop ping --timeout 1s; do sleep 1; done`;

async function ping(flags: PingFlags, session: Session): Promise<void> {
  const count = parseCount(flags.count, '--count', 1, 1_000_000);
  await withClient(flags, session, async (client): Promise<ExitCode> => {
    // The first one waits for the connection, which is not what is measured.
    await client.ping();
    for (let i = 0; i < count; i++) {
      const roundTripMs = await client.ping();
      if (flags.json) say(session, jsonText({ roundTripMs }));
      else say(session, `pong after ${formatDuration(roundTripMs)}`);
    }
    return EXIT.ok;
  });
}

/** `orlop ping` */
export function define(command: Command, session: Session): void {
  withAccess(command)
    .description('Asks whether the node answers, and prints how long the way there and back took.')
    .option('--count <number>', 'how often to ask', '1')
    .addHelpText('after', EXAMPLES)
    .action((flags: PingFlags) => ping(flags, session));
}
