/** What `orlop cluster` changes: each is a request to the node, which brings it about. */
import { InputError } from '../../base/errors.js';
import { formatSize, parseSize } from '../../base/sizes.js';
import type { AccessFlags } from '../access.js';
import { askHttp } from '../askHttp.js';
import { type Session, say } from '../context.js';
import { jsonText } from '../shownValue.js';
import { nodesSeen } from './views.js';

const NODES = '/cache/cluster/nodes';

/** Sends a change, and says what came of it. */
async function change(
  path: string,
  request: { readonly method: string; readonly body?: object },
  flags: AccessFlags,
  session: Session,
): Promise<void> {
  const answer = await askHttp(path, flags, session, request);
  if (flags.json) {
    say(session, jsonText(answer));
    return;
  }
  const { message, number, moving } = answer;
  if (typeof message === 'string') say(session, message);
  else say(session, `configuration ${number}${moving === true ? ', and partitions move' : ''}`);
}

const pathOf = (id: string): string => `${NODES}/${encodeURIComponent(id)}`;

/** Has the node at `address` join. */
export function addNode(address: string, flags: AccessFlags, session: Session): Promise<void> {
  return change(NODES, { method: 'POST', body: { address } }, flags, session);
}

/** Gives a member another weight. */
export async function weighNode(
  id: string,
  text: string,
  flags: AccessFlags,
  session: Session,
): Promise<void> {
  if (!/^\d{1,4}$/.test(text)) throw new InputError(`"${text}" is no weight: 0 to 1000`);
  const body = { id, weight: Number(text) };
  await change(NODES, { method: 'POST', body }, flags, session);
}

/** Begins a new range at a key. */
export function splitRange(key: string, flags: AccessFlags, session: Session): Promise<void> {
  const body = { split: key };
  return change('/cache/partitioning', { method: 'POST', body }, flags, session);
}

/** Gives members the weights that they were started with. */
export function rebalance(flags: AccessFlags, session: Session): Promise<void> {
  return change('/cache/cluster/rebalance', { method: 'POST' }, flags, session);
}

/** Changes how fast partitions move, and when shares count as uneven. */
export async function setPace(
  size: string,
  percent: string | undefined,
  flags: AccessFlags,
  session: Session,
): Promise<void> {
  const rate = parseSize(size);
  const threshold = percent === undefined ? undefined : Number(percent);
  const request = { method: 'POST', body: { rate, threshold } };
  const answer = await askHttp('/cache/cluster/rebalance', flags, session, request);
  const unheard = Array.isArray(answer.unheard) ? answer.unheard.join(', ') : '';
  if (flags.json) say(session, jsonText(answer));
  else {
    const missed = unheard === '' ? '' : `; not heard by ${unheard}`;
    say(session, `${formatSize(rate)} a second, threshold ${answer.threshold} %${missed}`);
  }
}

/** Puts a member that stands by in the place of another. */
export function replaceNode(
  id: string,
  by: string,
  flags: AccessFlags,
  session: Session,
): Promise<void> {
  const body = { id: by, replaces: id };
  return change(NODES, { method: 'POST', body }, flags, session);
}

/** Takes out a member that is away. */
export async function forgetNode(id: string, flags: AccessFlags, session: Session): Promise<void> {
  const { nodes } = await nodesSeen(flags, session);
  const state = nodes.find((node) => node.id === id)?.state;
  if (state === 'alive' || state === 'suspect') {
    throw new InputError(`${id} is ${state}: have it leave (orlop cluster leave --url …) instead`);
  }
  await change(pathOf(id), { method: 'DELETE' }, flags, session);
}

/** Has the node that is asked leave. */
export async function leaveCluster(flags: AccessFlags, session: Session): Promise<void> {
  const { self } = await nodesSeen(flags, session);
  await change(pathOf(self), { method: 'DELETE' }, flags, session);
}
