import { ByteWriter } from './bytes.js';
import type { Channel } from './channel.js';
import { BODY_MAX } from './envelope.js';
import { type Message, writeMessage } from './message.js';
import type { Roster } from './roster.js';
import type { Rumours } from './rumours.js';

/** A message in bytes of its own. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new ByteWriter(BODY_MAX);
  writeMessage(writer, message);
  return Uint8Array.from(writer.done());
}

/** Puts messages into datagrams, and rumours into the room that is left. */
export class Post {
  readonly #channel: Channel;
  readonly #rumours: Rumours;
  readonly #roster: Roster;
  readonly #writer = new ByteWriter(BODY_MAX);
  readonly #append = (bytes: Uint8Array): void => this.#writer.bytes(bytes);

  constructor(channel: Channel, rumours: Rumours, roster: Roster) {
    this.#channel = channel;
    this.#rumours = rumours;
    this.#roster = roster;
  }

  /** Sends messages that fit into one datagram together, and rumours with them. */
  send(endpoint: string, ...messages: Message[]): void {
    const writer = this.#writer;
    writer.length = 0;
    for (const message of messages) writeMessage(writer, message);
    this.#rumours.tell(writer.room, this.#roster.presentCount, this.#append);
    if (writer.length > 0) this.#channel.send(endpoint, writer.done());
  }
}
