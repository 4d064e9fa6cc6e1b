/**
 * One thread's app of uWebSockets.js with all its routes. The app of the main thread also listens;
 * the apps of I/O threads get accepted sockets handed over. HTTP lands where its socket lands, so
 * every app serves all of it.
 */
import { SOCKET_PATH, SUBPROTOCOL } from '../../protocol/wire.js';
import type { Reply } from '../http/exchange.js';
import type { Station } from '../station.js';
import { BAD_ORIGIN, NO_SUBPROTOCOL, offersOurs } from '../subprotocol.js';
import type {
  NativeApp,
  NativeBehavior,
  NativeBinding,
  NativeRequest,
  NativeResponse,
  NativeSocket,
} from './binding.js';
import { NativeExchange } from './nativeExchange.js';

/**
 * The module drops the connection without a word when a message is longer than its limit. So that
 * the client is told why, it takes messages up to twice ours, and the conversation refuses them.
 */
const PAYLOAD_FACTOR = 2;

/**
 * The module may hold this much for a reader; we stop answering long before, see `Conversation`.
 */
function hardBackpressure(station: Station): number {
  const { maxBackpressureBytes, maxFrameBytes } = station.limits;
  return Math.min(2 ** 32 - 1, maxBackpressureBytes + 2 * maxFrameBytes);
}

function write(response: NativeResponse, request: NativeRequest, reply: Reply): void {
  const exchange = new NativeExchange(response, request, (work) => work());
  exchange.respond(reply);
}

function upgrade(
  station: Station,
  response: NativeResponse,
  request: NativeRequest,
  context: unknown,
): void {
  const origin = request.getHeader('origin');
  if (!station.admitsOrigin(origin, request.getHeader('host'))) {
    write(response, request, BAD_ORIGIN);
    return;
  }
  if (!offersOurs(request.getHeader('sec-websocket-protocol'))) {
    write(response, request, NO_SUBPROTOCOL);
    return;
  }
  const key = request.getHeader('sec-websocket-key');
  response.upgrade({ conversation: undefined }, key, SUBPROTOCOL, '', context);
}

/** What happens to a WebSocket. Nothing may be thrown into the module: it would end the process. */
function behaviorOf(binding: NativeBinding, station: Station): NativeBehavior {
  const { maxFrameBytes } = station.limits;
  return {
    compression: binding.DISABLED,
    maxPayloadLength: Math.min(2 ** 32 - 1, maxFrameBytes * PAYLOAD_FACTOR),
    maxBackpressure: hardBackpressure(station),
    closeOnBackpressureLimit: false,
    // Both belong to the vigil, which can tell a busy socket from one that drips.
    idleTimeout: 0,
    sendPingsAutomatically: false,
    upgrade: (response, request, context) =>
      station.guard(() => upgrade(station, response, request, context)),
    open: (socket) =>
      station.guard(() => {
        socket.conversation = station.open(socket);
      }),
    message: (socket, message, isBinary) => receive(station, socket, message, isBinary),
    drain: (socket) => station.guard(() => socket.conversation?.drained()),
    pong: (socket) => {
      if (socket.conversation !== undefined) socket.conversation.heard = true;
    },
    close: (socket) => station.guard(() => closed(station, socket)),
  };
}

/** The path of every request: no closure, and no allocation but the view that copying needs. */
function receive(
  station: Station,
  socket: NativeSocket,
  message: ArrayBuffer,
  isBinary: boolean,
): void {
  const conversation = socket.conversation;
  if (conversation === undefined) return;
  try {
    if (isBinary) conversation.receive(new Uint8Array(message));
    else conversation.receiveText();
  } catch (error) {
    station.fail(error);
  }
}

function closed(station: Station, socket: NativeSocket): void {
  const conversation = socket.conversation;
  if (conversation === undefined) return;
  socket.conversation = undefined;
  station.close(conversation);
}

/** A new app that serves `station`. */
export function openApp(binding: NativeBinding, station: Station): NativeApp {
  const guard = (work: () => void): void => station.guard(work);
  return binding
    .App()
    .ws(SOCKET_PATH, behaviorOf(binding, station))
    .any('/*', (response, request) => {
      guard(() => station.door.handle(new NativeExchange(response, request, guard)));
    });
}
