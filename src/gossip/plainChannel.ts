import {
  type BodyHandler,
  type Channel,
  type ChannelFigures,
  type Datagrams,
  noFigures,
} from './channel.js';
import {
  clusterTag,
  FORMS,
  formOf,
  PLAIN_HEADER_BYTES,
  senderOf,
  writeEnvelope,
} from './envelope.js';

/** Datagrams in the clear, for nodes that only programs of one machine can reach. */
export class PlainChannel implements Channel {
  readonly figures: ChannelFigures = noFigures();
  readonly #datagrams: Datagrams;
  readonly #cluster: number;
  readonly #boot: string;
  #onBody: BodyHandler = () => {};
  #onSelf: (endpoint: string) => void = () => {};

  constructor(datagrams: Datagrams, cluster: string, boot: string) {
    this.#datagrams = datagrams;
    this.#cluster = clusterTag(cluster);
    this.#boot = boot;
    datagrams.onDatagram((from, bytes) => this.#receive(from, bytes));
  }

  onBody(handler: BodyHandler): void {
    this.#onBody = handler;
  }

  onSelf(handler: (endpoint: string) => void): void {
    this.#onSelf = handler;
  }

  send(endpoint: string, body: Uint8Array): void {
    const datagram = Buffer.allocUnsafe(PLAIN_HEADER_BYTES + body.length);
    writeEnvelope(datagram, FORMS.plain, this.#cluster, this.#boot);
    datagram.set(body, PLAIN_HEADER_BYTES);
    this.figures.sent++;
    this.figures.sentBytes += datagram.length;
    this.#datagrams.send(endpoint, datagram);
  }

  #receive(endpoint: string, bytes: Uint8Array): void {
    const datagram = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.figures.received++;
    this.figures.receivedBytes += datagram.length;
    if (formOf(datagram, this.#cluster) !== FORMS.plain) {
      this.figures.malformed++;
      return;
    }
    const boot = senderOf(datagram);
    if (boot === this.#boot) this.#onSelf(endpoint);
    else this.#onBody(boot, endpoint, datagram.subarray(PLAIN_HEADER_BYTES));
  }
}
