import type { ClientEvent } from '../client/events.js';
import { type Client, connect } from '../client/index.js';
import { type AccessFlags, accessOf } from './access.js';
import type { Session } from './context.js';
import type { ExitCode } from './exitCodes.js';
import { fullAddress } from './nodeAddress.js';

/**
 * Runs `work` with a client that is connected to the node of the flags; what it resolves to is what
 * the process ends with. A client in a program reconnects patiently; a person at a prompt wants to
 * hear at once that nobody is there, so the first disconnection ends the command.
 */
export async function withClient(
  flags: AccessFlags,
  session: Session,
  work: (client: Client) => Promise<ExitCode>,
): Promise<void> {
  const { url, token, timeoutMs } = accessOf(flags, session);
  let lose: (error: Error) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  lost.catch(() => undefined);
  const onEvent = (event: ClientEvent): void => {
    if (event.type === 'disconnected' || event.type === 'failed') lose(event.error);
  };
  const options = { token, timeoutMs, connectTimeoutMs: timeoutMs, name: 'orlop-cli', onEvent };
  const client = connect(fullAddress(url), options);
  try {
    session.exitCode = await Promise.race([lost, work(client)]);
  } finally {
    await client.close({ drainMs: 1 });
  }
}
