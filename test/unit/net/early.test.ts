/** What a node answers that does not know its cluster yet. */
import { expect, test } from 'vitest';
import { Party } from '../../../src/net/party.js';
import { tooEarly } from '../../../src/net/peers/early.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { FrameWriter } from '../../../src/protocol/frameWriter.js';
import { encodeRequest } from '../../../src/protocol/request.js';
import { RequestReader } from '../../../src/protocol/requestReader.js';
import { STATUS } from '../../../src/protocol/status.js';
import { OP_CLEAR, OP_GET, OP_INCR, OP_PING, OP_SET } from '../../../src/protocol/wire.js';

class Nobody extends Party {
  deliver(): boolean {
    return false;
  }
  ease(): void {}
  overflow(): void {}
}

test('what is about keys is refused, and the rest is for the core', () => {
  const writer = new FrameWriter();
  const key = 'key';
  encodeRequest(writer, { id: 1, opcode: OP_GET, key });
  encodeRequest(writer, { id: 2, opcode: OP_PING });
  encodeRequest(writer, { id: 3, opcode: OP_SET, key, value: 'v' });
  encodeRequest(writer, { id: 4, opcode: OP_INCR, key });
  encodeRequest(writer, { id: 5, opcode: OP_CLEAR });
  const told: string[] = [];
  const rest = tooEarly(new Nobody(), writer.frame(), (_, answers) => {
    const reader = new AnswerReader();
    reader.reset(answers);
    while (reader.next()) told.push(`${reader.id} ${reader.status}`);
  });
  const { UNAVAILABLE } = STATUS;
  expect(told).toEqual([1, 3, 4, 5].map((id) => `${id} ${UNAVAILABLE}`));
  const reader = new RequestReader(rest ?? new Uint8Array(0));
  expect([reader.next(), reader.id, reader.next()]).toEqual([true, 2, false]);
});

test('nothing is left of a frame that is about keys alone', () => {
  const writer = new FrameWriter();
  encodeRequest(writer, { id: 1, opcode: OP_GET, key: 'key' });
  expect(tooEarly(new Nobody(), writer.frame(), () => {})).toBeUndefined();
});
