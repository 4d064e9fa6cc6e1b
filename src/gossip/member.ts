/**
 * What is known of a node. Each statement about a node bears an incarnation, which only the node
 * itself raises; of two statements the one with the higher incarnation holds, and at the same
 * incarnation the graver one:
 *
 *   alive < suspect < dead < left
 *
 * So a node that hears that it is dead answers with a higher incarnation, and nobody else can.
 */

/** The states of a member, from the lightest to the gravest; their numbers are in datagrams. */
export const MEMBER_STATES = ['alive', 'suspect', 'dead', 'left'] as const;
/** The state of a member. */
export type MemberState = (typeof MEMBER_STATES)[number];

/** The gravity of a state. */
export function gravityOf(state: MemberState): number {
  return MEMBER_STATES.indexOf(state);
}

/** What a node says of itself; it changes with its incarnation only. */
export interface MemberFacts {
  /** The name of the node, unique in its cluster: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
  readonly id: string;
  /** Drawn at each start: 16 hex digits. */
  readonly boot: string;
  /** The address others reach it at, an IP address without brackets. */
  readonly host: string;
  /** The port for clients. */
  readonly port: number;
  /** The port for datagrams. */
  readonly gossipPort: number;
  /** What fails together; may be empty. */
  readonly zone: string;
  /** Its share of the data: 0 to 1000. */
  readonly weight: number;
  /** The version of the package it runs. */
  readonly version: string;
}

/** A statement about a node. */
export interface MemberRecord extends MemberFacts {
  readonly incarnation: number;
  readonly state: MemberState;
  /** Who says that it is suspect or dead; empty otherwise. */
  readonly accuser: string;
}

/** A node as it is known here. */
export interface Member extends MemberRecord {
  /** When its state changed last, in monotonic milliseconds. */
  readonly sinceMs: number;
}

/** An entry of the list of nodes to join. */
export interface Seed {
  /** As it was given: `HOST:GOSSIP_PORT`. */
  readonly address: string;
  /** The node that answered there last. */
  readonly id: string | undefined;
  /** Whether this node itself answered there. */
  readonly self: boolean;
}

/** Where datagrams go: `10.0.0.1:7701` or `[fd00::1]:7701`. */
export function endpointOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where the datagrams for a member go. */
export function endpointOfMember({ host, gossipPort }: MemberFacts): string {
  return endpointOf(host, gossipPort);
}

/** Whether a member takes part, as far as is known. */
export function isPresent({ state }: MemberRecord): boolean {
  return state === 'alive' || state === 'suspect';
}
