import { Argument, type Command } from 'commander';
import { slotOf } from '../../base/slot.js';
import { textBytes } from '../../protocol/text.js';
import { type AccessFlags, withAccess } from '../access.js';
import {
  addNode,
  forgetNode,
  leaveCluster,
  rebalance,
  replaceNode,
  setPace,
  splitRange,
  weighNode,
} from '../cluster/changes.js';
import { showNodes, showSlots, showStatus, watchStatus } from '../cluster/views.js';
import { type Session, say } from '../context.js';
import { jsonText } from '../shownValue.js';

const EXAMPLES = `
Examples:
  orlop cluster status                      nodes, shares, and what is wrong
  orlop cluster watch                       the same, again and again
  orlop cluster slots 866                   who owns a slot
  orlop cluster keyslot user:7              the slot of a key, as in Redis Cluster
  orlop cluster keyslot '{user:7}:cart'     keys with the same tag in braces share a slot
  orlop cluster leave --url node-3:7700     hands its data over and stops
  orlop cluster forget node-3               takes out a node that is gone for good`;

interface KeyslotFlags {
  readonly json?: boolean;
}

function keyslot(key: string, flags: KeyslotFlags, session: Session): void {
  const slot = slotOf(textBytes(key));
  say(session, flags.json === true ? jsonText({ key, slot }) : String(slot));
}

/** A command that talks to a node. */
interface Row {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly (readonly [name: string, help: string])[];
  readonly run: (
    values: readonly (string | undefined)[],
    flags: AccessFlags,
    session: Session,
  ) => Promise<void>;
}

const ROWS: readonly Row[] = [
  {
    name: 'status',
    summary: 'print the nodes, their shares, and what is wrong',
    description: 'Prints the whole cluster as the node sees it.',
    parameters: [],
    run: (_, flags, session) => showStatus(flags, session),
  },
  {
    name: 'nodes',
    summary: 'print the members as the node sees them',
    description: 'Prints who gossips with the node, and in which state.',
    parameters: [],
    run: (_, flags, session) => showNodes(flags, session),
  },
  {
    name: 'slots',
    summary: 'print who owns what',
    description: 'Prints how many partitions each node owns, or the owners of one slot.',
    parameters: [['[slot]', 'the number of a slot']],
    run: ([slot], flags, session) => showSlots(slot, flags, session),
  },
  {
    name: 'add',
    summary: 'have a node join that runs alone',
    description: 'Has a node give up its own cluster of one and join that of the node.',
    parameters: [['<address>', 'where it gossips, HOST:GOSSIP_PORT']],
    run: ([address = ''], flags, session) => addNode(address, flags, session),
  },
  {
    name: 'weigh',
    summary: 'give a node another share',
    description: 'Changes the weight of a member: its share of the data compared to others.',
    parameters: [
      ['<node>', 'its name'],
      ['<weight>', '0 to 1000; 0 holds no data'],
    ],
    run: ([id = '', weight = ''], flags, session) => weighNode(id, weight, flags, session),
  },
  {
    name: 'split',
    summary: 'divide a range',
    description: 'Begins a new range at a key, in a cluster with the partitioner range.',
    parameters: [['<key>', 'where it begins, as text']],
    run: ([key = ''], flags, session) => splitRange(key, flags, session),
  },
  {
    name: 'rebalance',
    summary: 'give nodes the shares that they were started with',
    description: 'Gives each member the weight that it was started with.',
    parameters: [],
    run: (_, flags, session) => rebalance(flags, session),
  },
  {
    name: 'pace',
    summary: 'change how fast partitions move',
    description: 'Changes what each node takes over in a second, until it is started again.',
    parameters: [
      ['<rate>', 'bytes a second, for example 64mb'],
      ['[threshold]', 'percent above its share at which a node counts as too full'],
    ],
    run: ([rate = '', threshold], flags, session) => setPace(rate, threshold, flags, session),
  },
  {
    name: 'replace',
    summary: 'put one node in the place of another',
    description: 'Gives the place and weight of a member to one that stands by with weight 0.',
    parameters: [
      ['<node>', 'the member that goes'],
      ['<by>', 'the member that stands by'],
    ],
    run: ([id = '', by = ''], flags, session) => replaceNode(id, by, flags, session),
  },
  {
    name: 'forget',
    summary: 'take out a node that is gone for good',
    description: 'Takes a member out that is away. Others take over its share.',
    parameters: [['<node>', 'its name']],
    run: ([id = ''], flags, session) => forgetNode(id, flags, session),
  },
  {
    name: 'leave',
    summary: 'have the node leave',
    description: 'Has the node hand its data over to the others and stop.',
    parameters: [],
    run: (_, flags, session) => leaveCluster(flags, session),
  },
  {
    name: 'watch',
    summary: 'print the status again and again',
    description: 'Prints the status every second, with how far moves are, until it is stopped.',
    parameters: [],
    run: (_, flags, session) => watchStatus(flags, session),
  },
];

function add(command: Command, row: Row, session: Session): void {
  const { name, summary, description, parameters, run } = row;
  const sub = withAccess(command.command(name)).summary(summary).description(description);
  for (const [parameter, help] of parameters) sub.addArgument(new Argument(parameter, help));
  sub.action(async (...args: unknown[]) => {
    const values = args.slice(0, parameters.length) as (string | undefined)[];
    await run(values, args[parameters.length] as AccessFlags, session);
  });
}

/** `orlop cluster`: looking into a cluster, and changing it. */
export function define(command: Command, session: Session): void {
  command.description('Looks into a cluster and changes it.').addHelpText('after', EXAMPLES);
  for (const row of ROWS) add(command, row, session);
  command
    .command('keyslot')
    .summary('print the slot of a key')
    .description('Prints which of the 16384 slots a key belongs to. Needs no node.')
    .argument('<key>', 'the key, as text')
    .option('--json', 'print JSON')
    .action((key: string, flags: KeyslotFlags) => keyslot(key, flags, session));
}
