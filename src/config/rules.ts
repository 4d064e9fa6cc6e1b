/** What settings must satisfy together. Each rule throws an `InputError` that says what to do. */
import { InputError } from '../base/errors.js';
import { formatSize } from '../base/sizes.js';
import { ARENAS_MAX, feedBytes, maxFrameBytes } from './config.js';
import { isLoopback } from './loopback.js';
import type { Values } from './settings.js';

const MIB = 1024 * 1024;
const PAGE_BYTES = 65_536;
/** One WebAssembly memory, less the last page, which stays unused so that no pointer wraps. */
const ARENA_BYTES = 65_535 * PAGE_BYTES;

/** Room for requests and answers that each thread needs beside the items, in bytes. */
function laneBytes(maxValueBytes: number, logged: boolean): number {
  const inboxBytes = MIB + maxFrameBytes(maxValueBytes) + PAGE_BYTES;
  const outboxBytes = MIB + maxValueBytes + 4 * PAGE_BYTES;
  return inboxBytes + outboxBytes + (logged ? feedBytes(maxValueBytes) : 0);
}

/** The most memory that items can have in one arena, in bytes, whole mebibytes. */
function arenaRoomBytes(threads: number, maxValueBytes: number, logged: boolean): number {
  // Besides the main thread and the I/O threads, the jobs of a log have a lane.
  const lanes = 1 + threads + (logged ? 1 : 0);
  const bytes = ARENA_BYTES - PAGE_BYTES - lanes * laneBytes(maxValueBytes, logged);
  return Math.max(0, Math.floor(bytes / MIB) * MIB);
}

/** Memory is divided into arenas, and each has to have room for the buffers of all threads, too. */
function checkMemory(values: Values): void {
  const { threads, memory, arenas } = values;
  const besides = `${threads} threads and values up to ${formatSize(values['max-value'])}`;
  const logged = values['data-dir'] !== undefined;
  const roomBytes = arenaRoomBytes(threads, values['max-value'], logged);
  if (roomBytes === 0) {
    throw new InputError(`${besides} leave no room for items. Lower threads or max-value.`);
  }
  const least = Math.ceil(memory / roomBytes);
  if (least > ARENAS_MAX) {
    const most = `${(ARENAS_MAX * roomBytes) / MIB}mb`;
    throw new InputError(
      `memory ${formatSize(memory)} is more than a node holds: at most ${most} with ${besides}. ` +
        `Set memory to ${most} or less.`,
    );
  }
  if (arenas === 0 || arenas >= least) return;
  throw new InputError(
    `memory ${formatSize(memory)} does not fit into ${arenas} arenas: with ${besides} each holds ` +
      `at most ${roomBytes / MIB}mb. Set arenas to ${least} or more, or leave it out.`,
  );
}

function checkHost(values: Values): void {
  if (isLoopback(values.host) || values['auth-token'] !== undefined) return;
  throw new InputError(
    `refusing to listen on ${values.host} without a token, because other machines could read and ` +
      'change everything. Set one (ORLOP_AUTH_TOKEN, or auth-token-file with the path of a file ' +
      'that holds it), or listen on 127.0.0.1.',
  );
}

/** Whether programs on other machines could take part in gossip. */
function gossipIsOpen({ host, advertise }: Values): boolean {
  return !isLoopback(host) || (advertise !== undefined && !isLoopback(advertise));
}

/** Whether a node may gossip: where others could take part it needs a key. */
export function mayGossip(values: Values): boolean {
  return !gossipIsOpen(values) || values['cluster-key'] !== undefined;
}

/** What only a node that gossips has a use for. */
const CLUSTER_ONLY = ['join', 'join-file', 'gossip-port', 'advertise'] as const;

function checkGossip(values: Values): void {
  const { port } = values;
  if (port === 65_535 && values['gossip-port'] === undefined && mayGossip(values)) {
    throw new InputError('there is no port after 65535 to gossip on: set gossip-port');
  }
  const wanted = CLUSTER_ONLY.find((name) => values[name] !== undefined);
  if (mayGossip(values) || wanted === undefined) return;
  const where = isLoopback(values.host) ? values.advertise : values.host;
  throw new InputError(
    `refusing to gossip on ${where} without a key, because other machines could take part and ` +
      'change who belongs to the cluster. Set one (ORLOP_CLUSTER_KEY, or cluster-key-file with ' +
      'the path of a file that holds it; openssl rand -base64 32 makes one), listen on ' +
      `127.0.0.1, or leave ${wanted} out.`,
  );
}

function checkRoom(values: Values, name: 'max-pipelined' | 'max-backpressure'): void {
  const frameBytes = maxFrameBytes(values['max-value']);
  if (values[name] >= frameBytes) return;
  throw new InputError(
    `${name} ${formatSize(values[name])} has no room for one frame of the largest value. ` +
      `Set ${name} to ${Math.ceil(frameBytes / MIB)}mb or more, or lower max-value.`,
  );
}

function checkKeys(values: Values): void {
  if (values['data-key-file'] === undefined || values['data-dir'] !== undefined) return;
  throw new InputError(
    'data-key-file encrypts a log, and without data-dir there is none. Set data-dir.',
  );
}

/** A tier is compacted by whole files, so it should have some. */
const TIER_FILES_MIN = 4;

function checkTier(values: Values): void {
  const { tier } = values;
  if (tier === undefined) return;
  if (values['data-dir'] === undefined) {
    throw new InputError('a tier is read from the log, so it needs one. Set data-dir.');
  }
  const least = TIER_FILES_MIN * values['data-file-size'];
  if (tier >= least) return;
  throw new InputError(
    `a tier of ${formatSize(tier)} has no room for ${TIER_FILES_MIN} files of the log. Set tier ` +
      `to ssd:${formatSize(least)} or more, or lower data-file-size.`,
  );
}

/** Checks the settings against each other. */
export function checkRules(values: Values): void {
  checkHost(values);
  checkGossip(values);
  checkMemory(values);
  checkTier(values);
  checkRoom(values, 'max-pipelined');
  checkRoom(values, 'max-backpressure');
  checkKeys(values);
}
