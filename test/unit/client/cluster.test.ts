import { describe, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.js';
import type { ClientOptions } from '../../../src/client/options.js';
import { FrameWriter } from '../../../src/protocol/frameWriter.js';
import { encodeScanPage } from '../../../src/protocol/scanPage.js';
import { STATUS } from '../../../src/protocol/status.js';
import { ANSWER_CURSOR, OP_GET, OP_SCAN, OP_SET } from '../../../src/protocol/wire.js';
import { applied } from '../../../src/ring/change.js';
import type { Member } from '../../../src/ring/configuration.js';
import { founding } from '../ring/support/clusters.js';
import { members, Nodes } from './support/nodes.js';
import { fateOf, World } from './support/world.js';

interface Stage {
  readonly world: World;
  readonly nodes: Nodes;
  readonly client: Client;
  /** A key, its first owner and the second. */
  readonly key: string;
  readonly first: string;
  readonly second: string;
}

/** Three connected nodes with two owners for each key; `key` belongs to b first. */
async function stage(options: ClientOptions = {}): Promise<Stage> {
  const world = new World();
  const nodes = new Nodes(world, ['a', 'b', 'c'], 2);
  const client = await nodes.connect(options);
  for (const id of ['b', 'c']) {
    const [key = ''] = nodes.keysOf(id, 1);
    const opening = client.get(key);
    await world.tick();
    nodes.greet(id);
    await world.tick();
    const asked = nodes.asked(id);
    nodes.socket(id).answerTo(asked);
    expect(await opening).toBe(key);
  }
  for (const id of ['a', 'b', 'c']) nodes.socket(id).frames.length = 1;
  const [key = ''] = nodes.keysOf('b', 1);
  const [first = '', second = ''] = nodes.ownersOf(key);
  return { world, nodes, client, key, first, second };
}

const { OK, SHUTTING_DOWN, UNAVAILABLE } = STATUS;

describe('a call in a cluster', () => {
  test('goes to the first owner of its key, with its level', async () => {
    const { world, nodes, client, key, first, second } = await stage();
    const fates = [client.set(key, 'v', { level: 'quorum' }), client.get(key)].map(fateOf);
    await world.tick();
    const asked = nodes.asked(first);
    expect(asked.map(({ opcode, level }) => [opcode, level])).toEqual([
      [OP_SET, 1],
      [OP_GET, 0],
    ]);
    expect(nodes.asked(second)).toEqual([]);
    nodes.socket(first).answerTo(asked, () => 'v');
    await world.tick();
    expect(fates.map(({ value }) => value)).toEqual([true, 'v']);
    await expect(client.get(key, { level: 'most' as 'all' })).rejects.toThrow(/level/);
  });

  test('asks a second owner when a read lingers, and takes the first answer', async () => {
    const { world, nodes, client, key, first, second } = await stage();
    const fate = fateOf(client.get(key));
    await world.pass(200);
    expect(nodes.asked(second)).toEqual([]);
    await world.pass(100);
    const [again] = nodes.asked(second);
    expect(again).toMatchObject({ opcode: OP_GET, key });
    nodes.socket(second).answerTo(again ? [again] : []);
    await world.tick();
    expect(fate).toEqual({ state: 'kept', value: key });
    nodes.socket(first).answerTo(nodes.asked(first), () => 'late');
    await world.tick();
    expect(fate.value).toBe(key);
  });

  test('never sends a write twice unless it was asked to', async () => {
    const { world, nodes, client, key, second } = await stage({ timeoutMs: 1000 });
    const fates = [fateOf<unknown>(client.set(key, 1)), fateOf<unknown>(client.incr(key))];
    await world.pass(900);
    expect(nodes.asked(second)).toEqual([]);
    // The node is silent: what comes now goes to the next owner.
    const later = fateOf(client.set(key, 2));
    await world.tick();
    expect(nodes.asked(second).map(({ opcode }) => opcode)).toEqual([OP_SET]);
    nodes.socket(second).answerTo(nodes.asked(second));
    await world.pass(200);
    expect(later.value).toBe(true);
    for (const { error } of fates)
      expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });

    const asking = await stage({ retryWrites: true });
    const fate = fateOf(asking.client.set(asking.key, 1));
    await asking.world.pass(300);
    asking.nodes.socket(asking.second).answerTo(asking.nodes.asked(asking.second));
    await asking.world.tick();
    expect(fate.value).toBe(true);
  });

  test.each([
    ['while another is under way', false],
    ['after another was cut off', true],
  ])('says that a write may have been made when an attempt is refused %s', async (_, cut) => {
    const { world, nodes, client, key, first, second } = await stage({ retryWrites: true });
    const fate = fateOf(client.set(key, 1));
    await world.tick();
    if (cut) nodes.socket(first).events.closed(1006, '', undefined);
    else await world.pass(300);
    await world.tick();
    const [request] = nodes.asked(second);
    if (request === undefined) throw new Error('no second attempt');
    nodes.socket(second).answer({ id: request.id, opcode: OP_SET, status: STATUS.TIMEOUT });
    await world.tick();
    expect(fate.error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
  });

  test('goes on to the next owner when the connection is lost', async () => {
    const { world, nodes, client, key, first, second } = await stage();
    const [read, write] = [fateOf(client.get(key)), fateOf(client.set(key, 1))];
    await world.tick();
    nodes.socket(first).events.closed(1006, '', undefined);
    await world.tick();
    expect(write.error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
    const next = fateOf(client.set(key, 2));
    await world.tick();
    expect(nodes.asked(second).map(({ opcode }) => opcode)).toEqual([OP_GET, OP_SET]);
    nodes.socket(second).answerTo(nodes.asked(second));
    await world.tick();
    expect([read.value, next.value]).toEqual([key, true]);
  });

  test('goes on when the node shuts down, and while errors pass until its deadline', async () => {
    const { world, nodes, client, key, first, second } = await stage({ timeoutMs: 1000 });
    const fate = fateOf(client.set(key, 1));
    const refuse = (id: string, status: number): void => {
      const requests = nodes.asked(id);
      nodes.socket(id).frames.length = 1;
      nodes.socket(id).answer(...requests.map((one) => ({ id: one.id, opcode: OP_SET, status })));
    };
    await world.tick();
    refuse(first, SHUTTING_DOWN);
    await world.tick();
    expect(nodes.asked(second).length).toBe(1);
    for (let look = 0; look < 50 && fate.state === 'open'; look++) {
      for (let hop = 0; hop < 3; hop++) {
        for (const id of ['a', 'b', 'c']) refuse(id, UNAVAILABLE);
        await world.tick();
      }
      await world.pass(25);
    }
    expect(fate.error).toMatchObject({ code: 'UNAVAILABLE', outcome: 'none' });
  });

  test('waits for a node while all are away, and says so at its deadline', async () => {
    const { world, nodes, client, key } = await stage({ timeoutMs: 400 });
    for (const id of ['a', 'b', 'c']) nodes.socket(id).events.closed(1006, '', undefined);
    const fate = fateOf(client.get(key));
    await world.pass(500);
    expect(fate.error).toMatchObject({ code: 'TIMEOUT', outcome: 'none' });
    await client.close({ drainMs: 1 });
    expect(world.awake).toBe(false);
  });
});

describe('calls about many keys', () => {
  test('are divided among the nodes, and what a silent one has is read elsewhere', async () => {
    const { world, nodes, client } = await stage();
    const keys = ['a', 'b', 'c'].flatMap((id) => nodes.keysOf(id, 5));
    const fate = fateOf(client.getMany(keys));
    await world.tick();
    for (const id of ['a', 'c']) nodes.socket(id).answerTo(nodes.asked(id));
    expect(nodes.asked('b').map(({ key }) => key)).toEqual(nodes.keysOf('b', 5));
    for (const id of ['a', 'c']) nodes.socket(id).frames.length = 1;
    await world.pass(300);
    const moved = ['a', 'c'].flatMap((id) => nodes.asked(id).map(({ key }) => key));
    expect(moved.sort()).toEqual(nodes.keysOf('b', 5).sort());
    for (const id of ['a', 'c']) nodes.socket(id).answerTo(nodes.asked(id));
    await world.tick();
    expect(fate.value).toEqual(keys);
  });

  test('are unknown when a node is lost that had writes', async () => {
    const { world, nodes, client } = await stage();
    const entries = ['a', 'b', 'c']
      .flatMap((id) => nodes.keysOf(id, 2))
      .map((key) => [key, 1] as const);
    const fate = fateOf(client.setMany(entries));
    await world.tick();
    nodes.socket('c').events.closed(1006, '', undefined);
    await world.tick();
    expect(fate.error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
    const next = fateOf(client.setMany(entries));
    await world.tick();
    for (const id of ['a', 'b']) nodes.socket(id).answerTo(nodes.asked(id));
    await world.tick();
    expect(next.value).toBe(entries.length);
  });
});

describe('the configuration', () => {
  test('is followed: who is no member is asked nothing more', async () => {
    const { world, nodes, client } = await stage();
    const left = nodes.socket('c');
    const two = founding(members('a', 'b'), 2);
    nodes.configuration = { ...two, cluster: nodes.configuration.cluster, number: 9, epoch: 9 };
    nodes.push('a', nodes.configuration);
    await world.tick();
    expect(left.closedWith).toBe(1000);
    expect(world.events.at(-1)).toMatchObject({ type: 'topology', number: 9, nodes: ['a', 'b'] });
    const fates = Array.from({ length: 20 }, (_, n) => fateOf(client.get(`key:${n}`)));
    await world.tick();
    for (const id of ['a', 'b']) nodes.socket(id).answerTo(nodes.asked(id));
    await world.tick();
    expect(fates.every(({ state }) => state === 'kept')).toBe(true);
  });

  test('of another cluster counts only when nobody is left of the known one', async () => {
    const { world, nodes, client, key, first } = await stage();
    const other = { ...founding(members('a', 'b', 'c'), 2), cluster: 'f'.repeat(16) };
    nodes.push(first, other);
    const fate = fateOf(client.get(key));
    await world.tick();
    expect(nodes.asked(first)).toEqual([]);
    for (const id of ['a', 'b', 'c']) if (id !== first) nodes.push(id, other);
    await world.tick();
    expect(world.events.at(-1)).toMatchObject({ type: 'topology', number: other.number });
    expect(fate.state).toBe('open');
    const next = fateOf(client.get(key));
    await world.tick();
    nodes.socket(first).answerTo(nodes.asked(first));
    await world.tick();
    expect(next.value).toBe(key);
  });

  test('of one node changes nothing, until there are more', async () => {
    const world = new World();
    const nodes = new Nodes(world, ['a'], 2);
    const client = await nodes.connect();
    const alone = fateOf(client.get('k'));
    await world.tick();
    nodes.socket('a').answerTo(nodes.asked('a'));
    await world.tick();
    expect(alone.value).toBe('k');
    expect(world.events.filter(({ type }) => type === 'topology')).toEqual([]);
    const b = members('a', 'b').at(-1) as Member;
    const joined = applied(nodes.configuration, { kind: 'admit', member: b });
    nodes.configuration = applied(joined, { kind: 'settle', number: joined.number });
    nodes.push('a', nodes.configuration);
    const [key = ''] = nodes.keysOf('b', 1);
    const fate = fateOf(client.get(key));
    await world.tick();
    nodes.greet('b');
    nodes.socket('b').answerTo(nodes.asked('b'));
    await world.tick();
    expect(fate.value).toBe(key);
  });
});

describe('a scan', () => {
  /** Answers all scans of a node with one page. */
  function page(nodes: Nodes, id: string, keys: readonly string[]): void {
    const socket = nodes.socket(id);
    const scans = nodes.asked(id).filter(({ opcode }) => opcode === OP_SCAN);
    socket.frames.length = 1;
    const writer = new FrameWriter();
    encodeScanPage(writer, keys);
    const body = writer.frame();
    const rest = { opcode: OP_SCAN, status: OK, flags: ANSWER_CURSOR, cursor: 0n, body };
    if (scans.length > 0) socket.answer(...scans.map((one) => ({ id: one.id, ...rest })));
  }

  test('takes each key from its first owner, and from the next when that one is lost', async () => {
    const { world, nodes, client } = await stage();
    const keys = ['a', 'b', 'c'].flatMap((id) => nodes.keysOf(id, 4));
    const found: string[] = [];
    const scanning = (async () => {
      for await (const key of client.scan()) found.push(key);
    })();
    const fate = fateOf(scanning);
    await world.tick();
    const held = (id: string): string[] => keys.filter((key) => nodes.ownersOf(key).includes(id));
    for (const id of ['a', 'c']) page(nodes, id, held(id));
    await world.tick();
    expect(found.sort()).toEqual([...nodes.keysOf('a', 4), ...nodes.keysOf('c', 4)].sort());
    nodes.socket('b').events.closed(1006, '', undefined);
    await world.tick();
    for (const id of ['a', 'c']) page(nodes, id, held(id));
    await world.tick();
    expect(fate.state).toBe('kept');
    expect(found.sort()).toEqual(keys.sort());
  });

  test('fails when keys have no owner left', async () => {
    const { world, nodes, client } = await stage();
    const scanning = (async () => {
      for await (const key of client.scan()) void key;
    })();
    const fate = fateOf(scanning);
    await world.tick();
    for (const id of ['b', 'c']) nodes.socket(id).events.closed(1006, '', undefined);
    await world.tick();
    expect(fate.error).toMatchObject({ code: 'DISCONNECTED' });
  });
});
