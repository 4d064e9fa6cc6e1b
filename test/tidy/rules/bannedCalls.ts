import ts from 'typescript';
import type { Finding, Source } from '../support/sources.js';
import { at, nodesOf } from '../support/syntax.js';

/** Something that only some files may use, and what the others use instead. */
interface Ban {
  readonly what: RegExp;
  readonly allowedIn: RegExp;
  readonly instead: string;
}

const CLOCK = 'take a Clock (src/base/clock.ts) as an argument';
const CHANCE = 'take a Random (src/base/random.ts) as an argument';
const TIMERS = 'take Timers (src/base/timers.ts) as an argument';

/** Matched against the text of what is called or read, for example `Date.now`. */
const BANS: readonly Ban[] = [
  { what: /^Date\.now$/, allowedIn: /^src\/base\/clock\.ts$/, instead: CLOCK },
  { what: /^new Date\(\)$/, allowedIn: /^src\/base\/clock\.ts$/, instead: CLOCK },
  { what: /^performance\.now$/, allowedIn: /^src\/base\/clock\.ts$/, instead: CLOCK },
  { what: /^process\.hrtime(\.bigint)?$/, allowedIn: /^src\/base\/clock\.ts$/, instead: CLOCK },
  { what: /^Math\.random$/, allowedIn: /^src\/base\/random\.ts$/, instead: CHANCE },
  {
    what: /^(\w+\.)*(getRandomValues|randomUUID|randomBytes|randomInt|randomFillSync)$/,
    allowedIn: /^src\/base\/random\.ts$/,
    instead: CHANCE,
  },
  {
    what: /^(globalThis\.)?(setTimeout|setInterval|setImmediate)$/,
    allowedIn: /^src\/base\/timers\.ts$/,
    instead: TIMERS,
  },
  {
    what: /^console\.\w+$/,
    allowedIn: /^src\/cli\//,
    instead: 'take a logger as an argument; only the command line speaks to the terminal',
  },
  {
    what: /^process\.exit$/,
    allowedIn: /^src\/main\.ts$/,
    instead: 'return or throw; only main.ts ends the process',
  },
];

function usedText(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) return node.getText().replace(/\s|\?/g, '');
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) return node.expression.text;
  if (ts.isNewExpression(node) && (node.arguments?.length ?? 0) === 0) return node.getText();
  if (ts.isIdentifier(node) && isPassedOn(node)) return node.text;
  return undefined;
}

/** `after(setTimeout)` and `{ later: setTimeout }` use it as much as a call does. */
function isPassedOn(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isCallExpression(parent)) return parent.arguments.some((argument) => argument === node);
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  return ts.isVariableDeclaration(parent) && parent.initializer === node;
}

/** Clocks, chance, timers, the terminal and the end of the process have their rooms. */
export function bannedCalls(source: Source): Finding[] {
  return nodesOf(source).flatMap((node) => {
    const text = usedText(node);
    if (text === undefined) return [];
    const ban = BANS.find(({ what, allowedIn }) => what.test(text) && !allowedIn.test(source.path));
    return ban === undefined ? [] : [at(source, node, `${text}: ${ban.instead}`)];
  });
}
