import { readFileSync, writeFileSync } from 'node:fs';
import { codeOf, InputError, messageOf } from '../base/errors.js';
import type { ClientEvent } from '../client/events.js';
import { type Client, connect } from '../client/index.js';
import { type AccessFlags, accessOf } from './access.js';
import type { Session } from './context.js';
import type { ExitCode } from './exitCodes.js';
import { fullAddress } from './nodeAddress.js';

/**
 * Calls `lose` when there is no use in waiting: a client in a program reconnects patiently, but a
 * person at a prompt wants to hear at once that nobody is there. In a cluster, the loss of a node
 * is a matter of the call that was under way there.
 */
function losing(addresses: number, lose: (error: Error) => void): (event: ClientEvent) => void {
  let left = addresses;
  let isCluster = false;
  return (event) => {
    if (event.type === 'topology') isCluster = true;
    else if (event.type === 'failed') lose(event.error);
    else if (event.type === 'connected') left = 1;
    else if (event.type === 'disconnected' && !isCluster) {
      left--;
      if (left <= 0) lose(event.error);
    }
  };
}

/** The token that a file keeps; none while there is no file. Throws `InputError`. */
function sessionIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw new InputError(`the session in ${file} can't be read: ${messageOf(error)}`);
  }
}

/**
 * Runs `work` with a client that is connected to the node of the flags, or to its cluster; what it
 * resolves to is what the process ends with.
 */
export async function withClient(
  flags: AccessFlags,
  session: Session,
  work: (client: Client) => Promise<ExitCode>,
): Promise<void> {
  const { urls, token, timeoutMs } = accessOf(flags, session);
  let lose: (error: Error) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  lost.catch(() => undefined);
  const client = connect(urls.map(fullAddress), {
    ...{ token, timeoutMs, connectTimeoutMs: timeoutMs, level: flags.level },
    session: flags.session !== undefined && (sessionIn(flags.session) || true),
    name: 'orlop-cli',
    onEvent: losing(urls.length, lose),
  });
  try {
    session.exitCode = await Promise.race([lost, work(client)]);
  } finally {
    const written = client.session?.token;
    if (flags.session !== undefined && written !== undefined) writeFileSync(flags.session, written);
    await client.close({ drainMs: 1 });
  }
}
