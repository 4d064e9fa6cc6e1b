/** What a node says to changes that another one made under an older configuration. */
import { describe, expect, test } from 'vitest';
import { Party } from '../../../src/net/party.js';
import { Fences } from '../../../src/net/peers/fences.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { STATUS } from '../../../src/protocol/status.js';
import { encodeFence } from '../../../src/replication/fence.js';
import { type Configuration, NO_DIGEST, type Strategy } from '../../../src/ring/configuration.js';
import { ClusterView } from '../../../src/ring/view.js';

const ID = 7;
const CHANGES = Uint8Array.of(1, 2, 3);

function configurationOf(strategy: Strategy): Configuration {
  const members = ['a', 'b'].map((id, n) => ({
    ...{ id, boot: '0'.repeat(16), host: '127.0.0.1', port: 7700 + n, gossipPort: 7800 + n },
    ...{ zone: '', weight: 1, passedOver: false },
  }));
  return {
    ...{ cluster: '1'.repeat(16), name: 'test', number: 5, previous: NO_DIGEST, epoch: 3 },
    ...{ strategy, partitioner: 'hash', layout: { members, replicas: 2, ranges: [] } },
  };
}

class Peer extends Party {
  override readonly isPeer = true;
  override deliver(): boolean {
    return false;
  }
  override ease(): void {}
  override overflow(): void {}
}

/** What becomes of changes that `a` tells behind a fence: what is said to it, and what is left. */
function passed(fence: number, strategy: Strategy | undefined): [number[], number | undefined] {
  const view = new ClusterView();
  view.identify('b');
  if (strategy !== undefined) view.learn(configurationOf(strategy));
  const said: number[] = [];
  const reader = new AnswerReader();
  const deliver = (_: Party, answers: Uint8Array): void => {
    reader.reset(answers);
    while (reader.next()) {
      expect(reader.id).toBe(ID);
      said.push(reader.status);
    }
  };
  const frame = Buffer.concat([encodeFence(ID, 'a', fence), CHANGES]);
  return [said, new Fences({ view, deliver }).pass(new Peer(), frame)?.length];
}

describe('a fence', () => {
  test('where owners are alike says who knows more, and lets the changes through', () => {
    for (const number of [5, 6]) expect(passed(number, 'multi-master')).toEqual([[], 3]);
    expect(passed(4, 'multi-master')).toEqual([[STATUS.VERSION_MISMATCH], 3]);
  });

  test('where owners have roles keeps out what a lower epoch tells', () => {
    for (const epoch of [3, 4]) expect(passed(epoch, 'chain')).toEqual([[STATUS.OK], 3]);
    expect(passed(2, 'chain')).toEqual([[STATUS.UNAVAILABLE], undefined]);
  });

  test('keeps out everything while no configuration is known', () => {
    expect(passed(5, undefined)).toEqual([[STATUS.UNAVAILABLE], undefined]);
  });
});
