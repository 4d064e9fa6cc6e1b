import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { packageFile } from '../../../src/base/packageRoot.js';
import { slotOf } from '../../../src/base/slot.js';
import type { Member } from '../../../src/ring/configuration.js';
import {
  decodeConfiguration,
  digestOfConfiguration,
  encodeConfiguration,
} from '../../../src/ring/configurationCodec.js';
import { digestOf } from '../../../src/ring/murmur.js';
import { loadsOf, ownersOf, placementOf } from '../../../src/ring/placement.js';
import { bytesOf, fieldOf, numberOf, vectorsOf } from '../protocol/support/vectors.js';
import { layout, member } from './support/clusters.js';

const PAGE = 'cluster.md';
const page = readFileSync(packageFile('docs', PAGE), 'utf8');

/** A member as the page writes it, without its address: `id*weight/zone`. */
function memberOf(text: string): Member {
  const [, id = '', weight = '1', zone = ''] =
    /^([\w.-]+)(?:\*(\d+))?(?:\/(\w+))?$/.exec(text) ?? [];
  return member(id, { weight: Number(weight), zone });
}

/** A member as the page writes it. */
function textOf({ id, host, port, gossipPort, weight, zone }: Member): string {
  const share = weight === 1 ? '' : `*${weight}`;
  return `${id}@${host}:${port}/${gossipPort}${share}${zone === '' ? '' : `/${zone}`}`;
}

describe('the page about clusters', () => {
  const slots = [...page.matchAll(/^\| `([^`]+)` \| (\d+) \|$/gm)];

  test.each(slots.map((match) => [match[1] ?? '', Number(match[2])] as const))(
    'has the slot of %s',
    (key, slot) => {
      expect(slotOf(new TextEncoder().encode(key))).toBe(slot);
    },
  );

  test('has slots, configurations and placements', () => {
    expect(slots.length).toBeGreaterThan(5);
    expect(vectorsOf('configuration', PAGE).length).toBeGreaterThan(1);
    expect(vectorsOf('placement', PAGE).length).toBeGreaterThan(2);
  });

  test.each(vectorsOf('configuration', PAGE))('has the bytes of $name', (vector) => {
    const bytes = bytesOf(vector);
    const configuration = decodeConfiguration(bytes);
    expect(encodeConfiguration(configuration)).toEqual(bytes);
    expect(digestOfConfiguration(configuration)).toBe(fieldOf(vector, 'digest'));
    expect(configuration.number).toBe(numberOf(vector, 'number'));
    expect(configuration.epoch).toBe(numberOf(vector, 'epoch'));
    expect(configuration.strategy).toBe(fieldOf(vector, 'strategy'));
    expect(configuration.partitioner).toBe(fieldOf(vector, 'partitioner'));
    expect(configuration.layout.replicas).toBe(numberOf(vector, 'replicas'));
    const members = configuration.layout.members.map(textOf).join(' ');
    expect(members).toBe(fieldOf(vector, 'members'));
  });

  test.each(vectorsOf('placement', PAGE))('has the owners of $name', (vector) => {
    const members = (fieldOf(vector, 'members') ?? '').split(' ').map(memberOf);
    const placement = placementOf(layout(members, numberOf(vector, 'replicas')), 'hash');
    for (const entry of (fieldOf(vector, 'owners') ?? '').split(' ')) {
      const [slot, ids] = entry.split('=');
      const owners = ownersOf(placement, Number(slot)).map(({ id }) => id);
      expect(owners.join(), `slot ${slot}`).toBe(ids);
    }
    expect([...loadsOf(placement)].join(' ')).toBe(fieldOf(vector, 'loads'));
    const bytes = Uint8Array.from(placement.owners, (owner) => owner);
    const pairs = Uint8Array.from({ length: 2 * bytes.length }, (_, at) =>
      at % 2 === 0 ? (bytes[at / 2] as number) : 0,
    );
    expect(digestOf(pairs)).toBe(fieldOf(vector, 'digest'));
  });
});
