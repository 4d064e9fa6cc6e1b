/**
 * The rooms of `src/` and the steps they stand on. A file imports its own room or a room on a lower
 * step; rooms on one step do not know each other, and what a lower room needs from a higher one it
 * declares as an interface that `node.ts` or `main.ts` hands in.
 */
export const STEPS: readonly (readonly string[])[] = [
  ['base'],
  ['config'],
  ['arena', 'protocol'],
  ['log', 'gossip', 'ring'],
  ['replication'],
  ['rebalance', 'net', 'client', 'embedded'],
  ['observe', 'cli'],
  ['cluster'],
  ['.'],
];

/** The top folder of a path: `src`, `assembly`, … */
export function houseOf(path: string): string {
  return path.split('/')[0] ?? '';
}

/** The room of a file in `src/`; files right in `src/` share the room `.`. */
export function roomOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? (parts[1] ?? '.') : '.';
}

/** The step of a room, or -1 when there is no such room. */
export function stepOf(room: string): number {
  return STEPS.findIndex((rooms) => rooms.includes(room));
}
