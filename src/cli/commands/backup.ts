import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Command, Option } from 'commander';
import { systemClock } from '../../base/clock.js';
import { systemRandom } from '../../base/random.js';
import { formatSize } from '../../base/sizes.js';
import { readKeyFile } from '../../config/keyFile.js';
import { BackupReader } from '../../log/backupReader.js';
import { BackupWriter } from '../../log/backupWriter.js';
import { SALT_BYTES } from '../../log/fileHeader.js';
import { KeyRing, NO_KEYS } from '../../log/keys.js';
import { type AccessFlags, withAccess } from '../access.js';
import { type Session, say } from '../context.js';
import { type Pieces, postToNode } from '../nodeExchange.js';
import { jsonText } from '../shownValue.js';

interface BackupFlags extends AccessFlags {
  readonly gzip?: boolean;
  readonly plain?: boolean;
  readonly dataKeyFile?: string;
}

/** The keys in the file that the user named, or none. */
export function keysOf({ dataKeyFile }: { readonly dataKeyFile?: string }): KeyRing {
  return dataKeyFile === undefined ? NO_KEYS : new KeyRing(readKeyFile(dataKeyFile));
}

const EXAMPLES = `
Examples:
  orlop backup cache.orlop
  orlop backup cache.orlop.gz                 compressed, as the name says
  orlop backup "$(date +%F).orlop" --url cache-1:7700
  orlop backup cache.orlop --data-key-file /etc/orlop/data-key
  orlop backup cache.orlop --plain            readable, also from a node whose log is encrypted

The node goes on serving. Each item is in the backup as it was at some moment between the start and
the end of the command, and everything is in it that was confirmed before. The file appears under
its name when it is complete and checked, and is readable by its owner only. If the node's log is
encrypted, so is the backup, with the key of the node.`;

/** Checks a backup on its way, whether it is encrypted or not. */
async function* checked(pieces: Pieces, counted: (items: number) => void): Pieces {
  const reader = new BackupReader(Number.POSITIVE_INFINITY, () => undefined, 'unopened');
  for await (const piece of pieces) {
    reader.take(piece);
    yield piece;
  }
  reader.finish();
  counted(reader.items);
}

/** Checks a backup on its way and makes it anew, with the keys of the user. */
async function* remade(pieces: Pieces, keys: KeyRing, counted: (items: number) => void): Pieces {
  let made: Uint8Array[] = [];
  const salt = systemRandom.bytes(SALT_BYTES);
  const send = (bytes: Uint8Array): void => {
    made.push(bytes.slice());
  };
  const writer = new BackupWriter(salt, systemClock.nowMs(), send, keys);
  const reader = new BackupReader(Number.POSITIVE_INFINITY, (walk) => {
    const { encoding, expiryMs } = walk;
    const fields = { kind: 'put', encoding, expiryMs, version: walk.version() } as const;
    writer.put(fields, walk.key(), walk.value());
  });
  for await (const piece of pieces) {
    reader.take(piece);
    const ready = made;
    made = [];
    yield* ready;
  }
  reader.finish();
  writer.finish();
  yield* made;
  counted(reader.items);
}

async function backup(file: string, flags: BackupFlags, session: Session): Promise<void> {
  const part = `${file}.part`;
  const keys = keysOf(flags);
  const isResealed = keys !== NO_KEYS;
  let items = 0;
  const counted = (count: number): void => {
    items = count;
  };
  const path = flags.plain || isResealed ? '/cache/backup?plain' : '/cache/backup';
  const reply = await postToNode(path, undefined, flags, session);
  const made = isResealed ? remade(reply, keys, counted) : checked(reply, counted);
  const target = createWriteStream(part, { mode: 0o600, flush: true });
  const isPacked = flags.gzip ?? file.endsWith('.gz');
  try {
    if (isPacked) await pipeline(made, createGzip({ level: 1 }), target);
    else await pipeline(made, target);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  const { size: bytes } = await stat(file);
  if (flags.json) say(session, jsonText({ file, items, bytes }));
  else say(session, `${items} items in ${file}, ${formatSize(bytes)}`);
}

/** `orlop backup` */
export function define(command: Command, session: Session): void {
  withAccess(command)
    .description('Writes every item of a node to a file, while the node goes on serving.')
    .argument('<file>', 'where the backup goes')
    .option('--gzip', 'compress it, whatever its name is')
    .addOption(new Option('--plain', 'not encrypted').conflicts('dataKeyFile'))
    .option(
      '--data-key-file <file>',
      'encrypt it with the first of these keys, not with the node’s',
    )
    .addHelpText('after', EXAMPLES)
    .action((file: string, flags: BackupFlags) => backup(file, flags, session));
}
