import type { Command } from 'commander';
import { slotOf } from '../../base/slot.js';
import { textBytes } from '../../protocol/text.js';
import { type Session, say } from '../context.js';
import { jsonText } from '../shownValue.js';

const EXAMPLES = `
Examples:
  orlop cluster keyslot user:7              the slot of a key, as in Redis Cluster
  orlop cluster keyslot '{user:7}:cart'     keys with the same tag in braces share a slot`;

interface KeyslotFlags {
  readonly json?: boolean;
}

function keyslot(key: string, flags: KeyslotFlags, session: Session): void {
  const slot = slotOf(textBytes(key));
  say(session, flags.json === true ? jsonText({ key, slot }) : String(slot));
}

/** `orlop cluster`: what a cluster is and does; its commands need no node yet. */
export function define(command: Command, session: Session): void {
  command.description('Looks into a cluster.').addHelpText('after', EXAMPLES);
  command
    .command('keyslot')
    .summary('print the slot of a key')
    .description('Prints which of the 16384 slots a key belongs to. Needs no node.')
    .argument('<key>', 'the key, as text')
    .option('--json', 'print JSON')
    .action((key: string, flags: KeyslotFlags) => keyslot(key, flags, session));
}
