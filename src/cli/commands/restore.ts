import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Command } from 'commander';
import { systemClock } from '../../base/clock.js';
import { InputError, messageOf } from '../../base/errors.js';
import { systemRandom } from '../../base/random.js';
import { BackupReader } from '../../log/backupReader.js';
import { BackupWriter } from '../../log/backupWriter.js';
import { SALT_BYTES } from '../../log/fileHeader.js';
import type { KeyRing } from '../../log/keys.js';
import type { RecordWalk } from '../../log/record.js';
import { type AccessFlags, withAccess } from '../access.js';
import { type Session, say } from '../context.js';
import { postToNode } from '../nodeExchange.js';
import { jsonText } from '../shownValue.js';
import { keysOf } from './backup.js';

interface RestoreFlags extends AccessFlags {
  readonly merge?: boolean;
  readonly check?: boolean;
  readonly dataKeyFile?: string;
}

const EXAMPLES = `
Examples:
  orlop restore cache.orlop
  orlop restore cache.orlop.gz --url cache-2:7700
  orlop restore cache.orlop --merge           leaves alone what was changed after the backup
  orlop restore cache.orlop --check           says whether the backup is whole, and asks no node

Keys that are not in the backup stay as they are. The file is checked before anything is sent. A
node with less memory than the items need evicts as always.`;

const GZIP = [0x1f, 0x8b];
/** A part of a backup that is sent at once: the node sees to others between two of them. */
const PART_BYTES = 512 * 1024;

async function isPacked(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return buffer[0] === GZIP[0] && buffer[1] === GZIP[1];
  } finally {
    await handle.close();
  }
}

/** The backup in a file, unpacked. */
async function streamOf(file: string): Promise<Readable> {
  if (!(await isPacked(file))) return createReadStream(file);
  const packed = createReadStream(file);
  const unpacked = createGunzip();
  packed.on('error', (error) => unpacked.destroy(error));
  return packed.pipe(unpacked);
}

/** Sends the items of a backup on in parts, each of which is a backup of its own. */
class Parts {
  readonly #send: (part: Uint8Array) => Promise<void>;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #writer: BackupWriter | undefined;

  constructor(send: (part: Uint8Array) => Promise<void>) {
    this.#send = send;
  }

  /** Takes the put that a walk is at. */
  add(walk: RecordWalk): void {
    this.#writer ??= new BackupWriter(
      systemRandom.bytes(SALT_BYTES),
      systemClock.nowMs(),
      (bytes) => {
        this.#pieces.push(bytes.slice());
        this.#bytes += bytes.length;
      },
    );
    const { encoding, expiryMs } = walk;
    const fields = { kind: 'put', encoding, expiryMs, version: walk.version() } as const;
    this.#writer.put(fields, walk.key(), walk.value());
  }

  /** Sends what has come together, if that is enough for a part. */
  async flush(leastBytes: number): Promise<void> {
    if (this.#writer === undefined || this.#bytes < leastBytes) return;
    this.#writer.finish();
    const part = Buffer.concat(this.#pieces);
    this.#writer = undefined;
    this.#pieces = [];
    this.#bytes = 0;
    await this.#send(part);
  }
}

/** Reads a whole backup; how many items it has. Throws `InputError` when it is damaged. */
async function check(file: string, keys: KeyRing): Promise<number> {
  const reader = new BackupReader(Number.POSITIVE_INFINITY, () => undefined, keys);
  try {
    await pipeline(await streamOf(file), async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) reader.take(piece);
    });
    reader.finish();
  } catch (error) {
    throw new InputError(`${file}: ${messageOf(error)}`);
  }
  return reader.items;
}

const OUTCOMES = ['items', 'restored', 'older', 'expired', 'refused'] as const;
type Outcome = Readonly<Record<(typeof OUTCOMES)[number], number>>;

function sentenceOf({ items, restored, older, expired, refused }: Outcome): string {
  const rest = [
    [older, 'are older than what is there'],
    [expired, 'have expired'],
    [refused, 'are larger than the node takes'],
  ] as const;
  const others = rest.filter(([count]) => count > 0).map(([count, why]) => `${count} ${why}`);
  return [`${restored} of ${items} items restored`, ...others].join('; ');
}

async function restore(file: string, flags: RestoreFlags, session: Session): Promise<void> {
  const keys = keysOf(flags);
  const items = await check(file, keys);
  if (flags.check) {
    if (flags.json) say(session, jsonText({ file, items }));
    else say(session, `${file} is whole: ${items} items`);
    return;
  }
  const total = { items: 0, restored: 0, older: 0, expired: 0, refused: 0 };
  const parts = new Parts(async (part) => {
    const outcome = await post(part, flags, session);
    for (const name of OUTCOMES) total[name] += outcome[name];
  });
  const reader = new BackupReader(Number.POSITIVE_INFINITY, (walk) => parts.add(walk), keys);
  for await (const piece of await streamOf(file)) {
    reader.take(piece as Buffer);
    await parts.flush(PART_BYTES);
  }
  reader.finish();
  await parts.flush(0);
  say(session, flags.json ? jsonText(total) : sentenceOf(total));
}

async function post(part: Uint8Array, flags: RestoreFlags, session: Session): Promise<Outcome> {
  const path = flags.merge ? '/cache/restore?merge' : '/cache/restore';
  const pieces: Uint8Array[] = [];
  for await (const piece of await postToNode(path, part, flags, session)) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString()) as Outcome;
}

/** `orlop restore` */
export function define(command: Command, session: Session): void {
  withAccess(command)
    .description('Sets every item of a backup on a node.')
    .argument('<file>', 'a backup, compressed or not')
    .option('--merge', 'keep the versions of the backup: what is newer on the node stays')
    .option('--check', 'only check the file')
    .option('--data-key-file <file>', 'the keys of an encrypted backup')
    .addHelpText('after', EXAMPLES)
    .action((file: string, flags: RestoreFlags) => restore(file, flags, session));
}
