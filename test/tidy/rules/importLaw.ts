import { houseOf, roomOf, STEPS, stepOf } from '../support/houses.js';
import { importsOf, resolve } from '../support/imports.js';
import type { Finding, Source } from '../support/sources.js';
import { at } from '../support/syntax.js';

/**
 * The houses whose files a file of each house may import; `bench` and `test` may import anything.
 */
const HOUSES: Readonly<Record<string, readonly string[]>> = {
  assembly: ['assembly'],
  src: ['src'],
  workers: ['workers', 'src'],
};

const NO_CORE = 'the core is compiled: use it through src/arena, never import assembly/';

function roomProblem(from: string, to: string): string | undefined {
  const [fromRoom, toRoom] = [roomOf(from), roomOf(to)];
  if (fromRoom === toRoom) return undefined;
  if (stepOf(toRoom) < stepOf(fromRoom)) return undefined;
  const lower = STEPS.slice(0, stepOf(fromRoom)).flat().join(', ');
  return (
    `${fromRoom} must not import ${toRoom}: it may use ${lower || 'no other room'}; ` +
    'declare an interface here and let node.ts or main.ts hand the thing in'
  );
}

function problem(from: string, to: string): string | undefined {
  const [fromHouse, toHouse] = [houseOf(from), houseOf(to)];
  if (toHouse === 'assembly' && fromHouse !== 'assembly') return NO_CORE;
  const allowed = HOUSES[fromHouse];
  if (allowed !== undefined && !allowed.includes(toHouse)) {
    return `${fromHouse}/ may import ${allowed.join(', ')}, not ${toHouse}/`;
  }
  return fromHouse === 'src' ? roomProblem(from, to) : undefined;
}

/** Files import their own room or a lower step. */
export function importLaw(source: Source): Finding[] {
  const found: Finding[] = [];
  if (houseOf(source.path) === 'src' && stepOf(roomOf(source.path)) < 0) {
    found.push(`${source.path}:1 no step is known for this room: add it to support/houses.ts`);
  }
  for (const { specifier, node } of importsOf(source)) {
    const to = resolve(source.path, specifier);
    const message = to === undefined ? packageProblem(source.path) : problem(source.path, to);
    if (message !== undefined) found.push(at(source, node, message));
  }
  return found;
}

function packageProblem(from: string): string | undefined {
  return houseOf(from) === 'assembly' ? 'assembly/ imports nothing but itself' : undefined;
}
