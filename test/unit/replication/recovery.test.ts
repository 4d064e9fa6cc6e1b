/** When a node that lost its memory counts again: then no majority misses a change. */
import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../../src/base/random.js';
import { Recovery } from '../../../src/replication/recovery.js';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const ALL = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const NOBODY = (): boolean => false;

function afterComparing(group: readonly string[], sound: string, lacking = '', gone = ''): boolean {
  const recovery = new Recovery();
  for (const id of sound) recovery.compared(id, true);
  for (const id of lacking) recovery.compared(id, false);
  return recovery.isOver('a', [group], (id) => gone.includes(id));
}

describe('a node that lost its memory counts again', () => {
  test.each([
    ['alone', 'a', '', '', '', true],
    ['with the other one of two', 'ab', '', '', '', false],
    ['with the other one of two', 'ab', 'b', '', '', true],
    ['with one of two others', 'abc', 'b', '', '', false],
    ['with both others', 'abc', 'bc', '', '', true],
    ['with both others, one of which lost its memory, too', 'abc', 'b', 'c', '', true],
    ['when all have lost their memories', 'abc', '', 'bc', '', true],
    ['with the only one that is left', 'abc', 'b', '', 'c', true],
    ['with three of four others', 'abcde', 'bcd', '', '', true],
    ['with two of four others', 'abcde', 'bc', '', '', false],
    ['with three of four others, one of which lost its memory', 'abcde', 'bc', 'd', '', false],
    ['where it owns nothing', 'bcd', '', '', '', true],
  ])('%s: %s by %s/%s without %s', (_, group, sound, lacking, gone, over) => {
    expect(afterComparing([...group], sound, lacking, gone)).toBe(over);
  });

  test('only when that is so for all that it owns', () => {
    const recovery = new Recovery();
    for (const id of 'bc') recovery.compared(id, true);
    const groups = [
      ['a', 'b', 'c'],
      ['b', 'a', 'd'],
    ];
    expect(recovery.isOver('a', groups, NOBODY)).toBe(false);
    recovery.compared('d', true);
    expect(recovery.isOver('a', groups, NOBODY)).toBe(true);
  });
});

/** Owners of one key, each with the changes that it has. */
class Owners {
  readonly #random: Random;
  readonly #ids: readonly string[];
  readonly #has = new Map<string, Set<number>>();
  readonly #lacking = new Map<string, Recovery>();
  readonly #acknowledged: number[] = [];

  constructor(random: Random) {
    this.#random = random;
    this.#ids = ALL.slice(0, 1 + random.below(ALL.length));
    for (const id of this.#ids) this.#has.set(id, new Set());
  }

  get #majority(): number {
    return Math.floor(this.#ids.length / 2) + 1;
  }

  #some(of: readonly string[], count: number): string[] {
    const left = [...of];
    return Array.from({ length: count }, () => {
      return left.splice(this.#random.below(left.length), 1)[0] as string;
    });
  }

  #setOf(id: string): Set<number> {
    return this.#has.get(id) as Set<number>;
  }

  /** Those who lack what they had take changes, too. */
  write(change: number): void {
    for (const id of this.#some(this.#ids, this.#majority)) this.#setOf(id).add(change);
    this.#acknowledged.push(change);
  }

  /** One more loses its memory, if a majority keeps one. */
  lose(): void {
    const [id] = this.#some(this.#ids, 1) as [string];
    const lost = new Set([...this.#lacking.keys(), id]).size;
    if (this.#ids.length - lost < this.#majority) return;
    this.#has.set(id, new Set());
    this.#lacking.set(id, new Recovery());
  }

  compare(): void {
    const [id, other] = this.#some(this.#ids, Math.min(2, this.#ids.length));
    const recovery = this.#lacking.get(id ?? '');
    if (id === undefined || other === undefined) return;
    for (const change of this.#setOf(other)) this.#setOf(id).add(change);
    recovery?.compared(other, !this.#lacking.has(other));
    if (recovery?.isOver(id, [this.#ids], NOBODY) === true) this.#lacking.delete(id);
  }

  /** The fewest of the acknowledged changes that any majority of those who count is told of. */
  check(): void {
    const sound = this.#ids.filter((id) => !this.#lacking.has(id));
    for (const change of this.#acknowledged) {
      const knowing = sound.filter((id) => this.#setOf(id).has(change)).length;
      expect(sound.length - knowing, `SEED=${seed}`).toBeLessThan(this.#majority);
    }
  }
}

test('no majority of those who count misses what was acknowledged, as long as one is left', () => {
  const random = seededRandom(seed);
  for (let run = 0; run < 400; run++) {
    const owners = new Owners(random);
    for (let step = 0; step < 60; step++) {
      const kind = random.below(8);
      if (kind === 0) owners.write(step);
      else if (kind === 1) owners.lose();
      else owners.compare();
      owners.check();
    }
  }
});
