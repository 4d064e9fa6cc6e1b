import {
  CLOSE_FRAME_TIMEOUT,
  CLOSE_GOING_AWAY,
  CLOSE_MALFORMED,
  CLOSE_SLOW_READER,
  CLOSE_TEXT,
  CLOSE_TOO_BIG,
  CLOSE_TOO_MANY,
  CLOSE_TOO_MUCH_PIPELINED,
  CLOSE_UNAUTHENTICATED,
} from '../protocol/wire.js';
import type { Figure } from './board.js';

/** Close: the thread that served the connection failed; connect again. */
export const CLOSE_THREAD_FAILED = 1011;

/** What is said with each close code, and the figure that counts it. */
interface Farewell {
  readonly reason: string;
  readonly figure?: Figure;
}

const FAREWELLS: Readonly<Record<number, Farewell>> = {
  [CLOSE_GOING_AWAY]: { reason: 'the node shuts down' },
  [CLOSE_TEXT]: { reason: 'only binary messages are spoken here', figure: 'closedText' },
  [CLOSE_TOO_BIG]: { reason: 'the frame is longer than maxFrame', figure: 'closedTooBig' },
  [CLOSE_THREAD_FAILED]: { reason: 'an I/O thread failed; connect again' },
  [CLOSE_TOO_MANY]: { reason: 'the node has no room for more connections', figure: 'turnedAway' },
  [CLOSE_MALFORMED]: { reason: 'malformed frame', figure: 'closedMalformed' },
  [CLOSE_UNAUTHENTICATED]: { reason: 'the token is wrong', figure: 'closedUnauthenticated' },
  [CLOSE_FRAME_TIMEOUT]: {
    reason: 'a frame or the hello took too long',
    figure: 'closedFrameTimeout',
  },
  [CLOSE_TOO_MUCH_PIPELINED]: {
    reason: 'too many bytes of requests were waiting',
    figure: 'closedPipelined',
  },
  [CLOSE_SLOW_READER]: { reason: 'answers were not read', figure: 'closedSlow' },
};

/** The reason that is sent with a close code. */
export function reasonOf(closeCode: number): string {
  return FAREWELLS[closeCode]?.reason ?? '';
}

/** The figure that counts connections closed with this code, if there is one. */
export function figureOf(closeCode: number): Figure | undefined {
  return FAREWELLS[closeCode]?.figure;
}
