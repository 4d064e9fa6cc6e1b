/** One status of an answer: its number on the wire, its stable name, and what it is over HTTP. */
export interface StatusRow {
  readonly code: number;
  readonly name: string;
  readonly message: string;
  readonly http: number;
}

/**
 * The table of statuses. Below 16 stand outcomes, which are not failures; from 16 on errors. A
 * number never changes its meaning; new ones may be added, and a client treats an unknown one as an
 * error.
 */
export const STATUSES = [
  { code: 0, name: 'OK', message: 'done', http: 200 },
  { code: 1, name: 'NOT_FOUND', message: 'the key is not there', http: 404 },
  { code: 2, name: 'EXISTS', message: 'the key is there already', http: 412 },
  { code: 3, name: 'VERSION_MISMATCH', message: 'the item has another version', http: 412 },
  { code: 4, name: 'NOT_A_NUMBER', message: 'the value is not a 64-bit decimal number', http: 409 },
  { code: 5, name: 'OVERFLOW', message: 'the counter would leave the 64-bit range', http: 409 },
  { code: 16, name: 'BAD_REQUEST', message: 'the request is malformed', http: 400 },
  { code: 17, name: 'UNSUPPORTED', message: 'the node does not know this operation', http: 501 },
  { code: 18, name: 'TOO_LARGE', message: 'the value is longer than the node accepts', http: 413 },
  { code: 19, name: 'UNAUTHENTICATED', message: 'a valid token is needed', http: 401 },
  { code: 20, name: 'FORBIDDEN', message: 'this connection may not do that', http: 403 },
  {
    code: 21,
    name: 'BUSY',
    message: 'the node has no memory free right now; try again',
    http: 503,
  },
  { code: 22, name: 'TIMEOUT', message: 'the deadline passed before the operation ran', http: 504 },
  { code: 23, name: 'NO_SPACE', message: 'the item does not fit into the memory', http: 507 },
  { code: 24, name: 'SHUTTING_DOWN', message: 'the node is shutting down', http: 503 },
  { code: 25, name: 'BAD_NAMESPACE', message: 'there is no such namespace', http: 400 },
  {
    code: 26,
    name: 'UNSUPPORTED_VERSION',
    message: 'the node does not speak this version of the protocol',
    http: 400,
  },
  { code: 27, name: 'INTERNAL', message: 'the node failed; its log says why', http: 500 },
  {
    code: 28,
    name: 'DISK_FULL',
    message: "the disk of the node's log is full, so it takes no changes",
    http: 507,
  },
  {
    code: 29,
    name: 'DISK_FAILED',
    message: "the disk of the node's log failed, so it takes no changes until it is started anew",
    http: 500,
  },
  {
    code: 30,
    name: 'UNAVAILABLE',
    message: 'too few owners of the key are reached; nothing was changed',
    http: 503,
  },
  {
    code: 31,
    name: 'UNDECIDED',
    message: 'fewer owners than asked for are known to have the change',
    http: 504,
  },
  {
    code: 32,
    name: 'AHEAD',
    message: 'the change comes from further ahead than clocks may be apart',
    http: 503,
  },
] as const satisfies readonly StatusRow[];

/** The stable name of a status: `NOT_FOUND`. */
export type StatusName = (typeof STATUSES)[number]['name'];

/** The number of each status by its name. */
export const STATUS = Object.fromEntries(STATUSES.map((row) => [row.name, row.code])) as Readonly<
  Record<StatusName, number>
>;

/** Statuses from this number on are errors. */
export const FIRST_ERROR = 16;

const rows: (StatusRow | undefined)[] = [];
for (const row of STATUSES) rows[row.code] = row;

/** The row of a status, or nothing for a number that this version does not know. */
export function statusOf(code: number): StatusRow | undefined {
  return rows[code];
}

/** The name of a status for messages and metrics; `STATUS_99` for an unknown one. */
export function statusName(code: number): string {
  return rows[code]?.name ?? `STATUS_${code}`;
}
