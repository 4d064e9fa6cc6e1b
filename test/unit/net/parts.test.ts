import { describe, expect, test } from 'vitest';
import { Board, DRAINING, FIGURE, FIGURES, SERVING, STARTING } from '../../../src/net/board.js';
import { figureOf, reasonOf } from '../../../src/net/farewell.js';
import { FrameQueue } from '../../../src/net/frameQueue.js';
import { originMayEnter } from '../../../src/net/origin.js';
import { offersOurs } from '../../../src/net/subprotocol.js';
import { TokenGate } from '../../../src/net/token.js';
import { CLOSE_MALFORMED, CLOSE_SLOW_READER } from '../../../src/protocol/wire.js';

describe('a queue of frames', () => {
  const bytes = (length: number): Uint8Array => new Uint8Array(length);

  test('gives them back in order, and knows how many bytes wait', () => {
    const queue = new FrameQueue();
    for (let n = 1; n <= 300; n++) queue.push(bytes(n), n);
    expect([queue.length, queue.bytes]).toEqual([300, (300 * 301) / 2]);
    for (let n = 1; n <= 300; n++) {
      expect([queue.peek()?.arrivalMs, queue.peek()?.bytes.length]).toEqual([n, n]);
      queue.drop();
    }
    expect([queue.length, queue.bytes, queue.peek()]).toEqual([0, 0, undefined]);
  });

  test('takes frames in front, whatever was dropped before', () => {
    const queue = new FrameQueue();
    queue.push(bytes(1), 1);
    queue.unshift(bytes(2), 0);
    queue.drop();
    queue.unshift(bytes(3), 7);
    expect(queue.peek()?.arrivalMs).toBe(7);
    queue.drop();
    expect(queue.peek()?.arrivalMs).toBe(1);
    queue.clear();
    expect([queue.length, queue.bytes]).toEqual([0, 0]);
  });
});

describe('the board', () => {
  test('is shared by whoever has its buffer', () => {
    const board = Board.create(3);
    const there = new Board(board.buffer);
    expect([there.lanes, there.state]).toEqual([3, STARTING]);
    board.state = SERVING;
    expect(there.state).toBe(SERVING);
    there.state = DRAINING;
    expect(board.state).toBe(DRAINING);
  });

  test('admits connections up to a limit, over all threads', () => {
    const board = Board.create(1);
    const there = new Board(board.buffer);
    expect([board.admit(2), there.admit(2), board.admit(2), there.admit(2)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(board.connections).toBe(2);
    there.release(1);
    expect(board.admit(2)).toBe(true);
  });

  test('keeps a tally per lane that touches no other', () => {
    const board = Board.create(3);
    board.tally(1).fill(7);
    for (const lane of [0, 2]) expect(board.tally(lane).every((figure) => figure === 0)).toBe(true);
    expect(board.state).toBe(STARTING);
    expect(new Set(Object.values(FIGURE)).size).toBe(FIGURES.length);
  });
});

describe('the token gate', () => {
  test('lets everybody in when there is no token', () => {
    const gate = new TokenGate(TokenGate.digest(undefined));
    expect([gate.closed, gate.admits(''), gate.admits('x')]).toEqual([false, true, true]);
  });

  test('lets in who has the token, as text or bytes, and nobody else', () => {
    const gate = new TokenGate(TokenGate.digest('secret'));
    expect(gate.closed).toBe(true);
    expect(gate.admits('secret')).toBe(true);
    expect(gate.admits(Buffer.from('secret'))).toBe(true);
    for (const wrong of ['', 'secre', 'secret ', 'Secret']) expect(gate.admits(wrong)).toBe(false);
  });
});

describe('origins', () => {
  test.each([
    ['', 'any:1'],
    ['http://localhost:3000', '127.0.0.1:7700'],
    ['http://127.0.0.1:8080', 'localhost:7700'],
    ['http://[::1]:8080', 'localhost:7700'],
    ['https://cache.example:7700', 'CACHE.example:7700'],
  ])('lets %s in at %s', (origin, host) => {
    expect(originMayEnter(origin, host)).toBe(true);
  });

  test.each([
    ['https://example.com', '127.0.0.1:7700'],
    ['https://example.com:7700', 'example.com:7701'],
    ['http://localhost.example.com', '127.0.0.1:7700'],
    ['null', '127.0.0.1:7700'],
    ['file://', '127.0.0.1:7700'],
    ['nonsense', ''],
  ])('keeps %s out at %s', (origin, host) => {
    expect(originMayEnter(origin, host)).toBe(false);
  });
});

test('our subprotocol is found in a list', () => {
  expect(['orlop.v1', 'a, orlop.v1', 'orlop.v1 ,b'].every(offersOurs)).toBe(true);
  expect(['', 'orlop', 'orlop.v10', 'x-orlop.v1'].some(offersOurs)).toBe(false);
});

test('every close of ours has a reason, and faults are counted', () => {
  expect(reasonOf(CLOSE_MALFORMED)).toBe('malformed frame');
  expect(figureOf(CLOSE_SLOW_READER)).toBe('closedSlow');
  expect([reasonOf(1000), figureOf(1000)]).toEqual(['', undefined]);
});
