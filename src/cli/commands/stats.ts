import type { Command } from 'commander';
import { formatSize } from '../../base/sizes.js';
import { type AccessFlags, withAccess } from '../access.js';
import { askHttp } from '../askHttp.js';
import { type Session, say } from '../context.js';
import { jsonText } from '../shownValue.js';
import { columns } from '../table.js';

const EXAMPLES = `
Examples:
  orlop stats
  orlop stats --json | jq .
  watch -n1 orlop stats                       see also /metrics for Prometheus`;

type Row = readonly [string, string];

/** `usedBytes` as `used_bytes`: as they are called in `/metrics`, and as people grep for them. */
function nameOf(path: readonly string[]): string {
  return path.join('.').replace(/([a-z\d])([A-Z])/g, (_, a: string, b: string) => `${a}_${b}`);
}

function shown(name: string, value: unknown): string {
  if (typeof value !== 'number' || !/bytes$/i.test(name)) return String(value ?? '');
  return value < 1024 ? String(value) : `${value} (${formatSize(value)})`;
}

/** One row for each leaf of the document. */
function rowsOf(value: unknown, path: readonly string[]): Row[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, part]) => rowsOf(part, [...path, name]));
  }
  const name = nameOf(path).toLowerCase();
  return [[name, shown(name, value)]];
}

async function stats(flags: AccessFlags, session: Session): Promise<void> {
  const document = await askHttp('/v1/stats', flags, session);
  if (flags.json) say(session, jsonText(document));
  else say(session, columns(rowsOf(document, [])));
}

/** `orlop stats` */
export function define(command: Command, session: Session): void {
  withAccess(command)
    .description('Prints what the node counts: operations, hits, memory, connections.')
    .addHelpText('after', EXAMPLES)
    .action((flags: AccessFlags) => stats(flags, session));
}
