/**
 * The part of uWebSockets.js that is used here, with the methods that its own types leave out. It
 * is loaded when it is needed, so that a platform without a binary can go on with the portable
 * listener.
 */
import { messageOf } from '../../base/errors.js';
import type { Conversation } from '../conversation.js';
import type { Wire } from '../wire.js';

/** A WebSocket of uWebSockets.js; it is a `Wire` as it is. */
export interface NativeSocket extends Wire {
  /** Put there by us when the socket opens; nothing when it was turned away. */
  conversation: Conversation | undefined;
  close(): void;
}

/** A request; it may be used only until its handler returns. */
export interface NativeRequest {
  getHeader(name: string): string;
  getMethod(): string;
  getCaseSensitiveMethod(): string;
  getUrl(): string;
  getQuery(): string | undefined;
}

/** The way back to an HTTP client; it may be used until it has answered or was aborted. */
export interface NativeResponse {
  writeStatus(status: string): NativeResponse;
  writeHeader(name: string, value: string): NativeResponse;
  end(body?: string | Uint8Array, closeConnection?: boolean): NativeResponse;
  endWithoutBody(reportedLength?: number, closeConnection?: boolean): NativeResponse;
  onAborted(handler: () => void): NativeResponse;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): NativeResponse;
  cork(work: () => void): NativeResponse;
  /** Sends a piece of the body; false when the client does not read as fast. */
  write(piece: Uint8Array): boolean;
  /** The handler returns true when it has nothing more to send now. */
  onWritable(handler: (offset: number) => boolean): NativeResponse;
  /** Stops reading from the client. */
  pause(): void;
  resume(): void;
  /** Ends the connection. */
  close(): NativeResponse;
  upgrade(
    userData: { conversation: undefined },
    key: string,
    protocol: string,
    extensions: string,
    context: unknown,
  ): void;
}

/** Handlers and limits of a WebSocket path. */
export interface NativeBehavior {
  readonly compression: number;
  readonly maxPayloadLength: number;
  readonly maxBackpressure: number;
  readonly closeOnBackpressureLimit: boolean;
  readonly idleTimeout: number;
  readonly sendPingsAutomatically: boolean;
  readonly upgrade: (response: NativeResponse, request: NativeRequest, context: unknown) => void;
  readonly open: (socket: NativeSocket) => void;
  readonly message: (socket: NativeSocket, message: ArrayBuffer, isBinary: boolean) => void;
  readonly drain: (socket: NativeSocket) => void;
  readonly pong: (socket: NativeSocket) => void;
  readonly close: (socket: NativeSocket) => void;
}

/** Names another thread's app, so that accepted sockets can be handed to it. */
export type Descriptor = number;

/** An app of uWebSockets.js: the sockets and routes of one thread. */
export interface NativeApp {
  ws(pattern: string, behavior: NativeBehavior): NativeApp;
  any(
    pattern: string,
    handler: (response: NativeResponse, request: NativeRequest) => void,
  ): NativeApp;
  listen(
    host: string,
    port: number,
    options: number,
    callback: (listenSocket: object | false) => void,
  ): NativeApp;
  getDescriptor(): Descriptor;
  addChildAppDescriptor(descriptor: Descriptor): NativeApp;
  removeChildAppDescriptor(descriptor: Descriptor): NativeApp;
  close(): NativeApp;
}

/** The module. */
export interface NativeBinding {
  App(): NativeApp;
  us_listen_socket_close(listenSocket: object): void;
  us_socket_local_port(listenSocket: object): number;
  readonly DISABLED: number;
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
}

/** Why there is no native listener here. */
export interface NoBinding {
  readonly reason: string;
}

/** The longest request line with headers; read by the module when it is first loaded. */
export const MAX_HEADER_BYTES = 16 * 1024;

/** The module, or why it can't be loaded. */
export async function loadBinding(): Promise<NativeBinding | NoBinding> {
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(MAX_HEADER_BYTES);
  try {
    const loaded = (await import('uWebSockets.js')) as unknown as NativeBinding & {
      readonly default?: NativeBinding;
    };
    // The official release is CommonJS: there the names are on its default export.
    const binding = typeof loaded.App === 'function' ? loaded : loaded.default;
    return binding ?? { reason: 'uWebSockets.js has no App' };
  } catch (error) {
    return { reason: messageOf(error).split('\n').join(' ').trim() };
  }
}

/** Whether `loadBinding` found the module. */
export function isBinding(loaded: NativeBinding | NoBinding): loaded is NativeBinding {
  return 'App' in loaded;
}
