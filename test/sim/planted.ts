/**
 * Known bugs, planted to show that the simulator finds them. A bug is a change to one compiled
 * file, made while the file is loaded; the shipped code knows nothing of it.
 */

/** A bug: in `file` of `dist/`, `find` stands exactly once and becomes `replace`. */
export interface Bug {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** What it does. */
  readonly what: string;
  /** Where it shows; in membership, unless another scenario is named. */
  readonly scenario?: string;
}

/** The bugs by name. */
export const PLANTED: Readonly<Record<string, Bug>> = {
  'no-refutation': {
    file: 'src/gossip/roster.js',
    find: 'this.#raise(record.incarnation + 1);',
    replace: '',
    what: 'a node does not contradict what is said of it',
  },
  'old-incarnation-accepted': {
    file: 'src/gossip/roster.js',
    find: 'if (record.incarnation < known.incarnation)',
    replace: 'if (false)',
    what: 'an older statement takes the place of a newer one',
  },
  'no-rejoin': {
    file: 'src/gossip/joiner.js',
    find: "filter(({ state }) => state === 'dead')",
    replace: 'filter(() => false)',
    what: 'nobody looks for dead members',
  },
  'join-once': {
    file: 'src/gossip/joiner.js',
    find: 'attempt.rounds <= EAGER_ROUNDS || attempt.rounds % PATIENT_ROUNDS === 0',
    replace: 'attempt.rounds <= 1',
    what: 'each endpoint of the list is asked once',
  },
  'left-is-dead': {
    file: 'src/gossip/gossip.js',
    find: "restate({ state: 'left' })",
    replace: "restate({ state: 'dead' })",
    what: 'a node that leaves says that it is dead',
  },
  'refutation-too-low': {
    file: 'src/gossip/roster.js',
    find: 'this.#raise(record.incarnation + 1);',
    replace: 'this.#raise(record.incarnation);',
    what: 'a node contradicts under the incarnation it contradicts',
  },
  'suspect-for-ever': {
    file: 'src/gossip/gossip.js',
    find: "this.#learn({ ...member, state: 'dead', accuser: this.self.id });",
    replace: '',
    what: 'a suspect never dies',
  },
  'no-window': {
    file: 'src/gossip/sealedChannel.js',
    find: 'if (!session.admit(counter))',
    replace: 'if (false)',
    what: 'a datagram counts as often as it arrives',
  },
  'any-receiver': {
    file: 'src/gossip/sealedChannel.js',
    find: 'session === undefined || to !== this.#parts.boot',
    replace: 'session === undefined',
    what: 'a datagram for another node counts',
  },
  'stranger-believed': {
    file: 'src/gossip/sealedChannel.js',
    find: 'const session = this.#sessions.get(from);',
    replace:
      'if (!this.#sessions.has(from)) this.#sessions.set(from, new ReplayWindow(counter - 1));' +
      'to = this.#parts.boot; const session = this.#sessions.get(from);',
    what: 'a boot is believed without a proof that it lives',
  },
  'request-handled-twice': {
    file: 'src/gossip/courier.js',
    find: '!asked.parcel.complete || asked.handled',
    replace: '!asked.parcel.complete',
    what: 'a request that is sent again is handled again',
  },
  'answer-parts-unordered': {
    file: 'src/gossip/shipment.js',
    find: 'this.#parts[part] = Uint8Array.from(bytes);',
    replace: 'this.#parts[this.#parts.indexOf(undefined)] = Uint8Array.from(bytes);',
    what: 'parts are put together in the order of their arrival',
  },
  'settle-unasked': {
    file: 'src/rebalance/mover.js',
    find: 'if (arrived)',
    replace: 'if (true)',
    what: 'moves are settled before they have arrived',
    scenario: 'moving',
  },
  'new-owners-only': {
    file: 'src/ring/view.js',
    find: '[this.#leaving, this.#now]',
    replace: '[this.#now]',
    what: 'while partitions move, changes go to the new owners alone',
    scenario: 'moving',
  },
  'hauled-from-one': {
    file: 'src/rebalance/hauls.js',
    find: 'if (!mayCome && (',
    replace: 'if (hauled > 0 || (',
    what: 'one old owner is enough to get everything from',
    scenario: 'moving',
  },
  'ring-from-gossip': {
    file: 'src/ring/view.js',
    find: 'return this.#maps.map((owners) => owners.of(owners.partitionOf(key)));',
    replace:
      'return this.#maps.map((owners) =>' +
      ' owners.of(owners.partitionOf(key)).filter(({ id }) => this.isAlive(id)));',
    what: 'who is held dead owns nothing',
    scenario: 'moving',
  },
  'acknowledged-early': {
    scenario: 'replication',
    file: 'src/net/peers/claims.js',
    find: 'unmet.push(request);',
    replace: 'void request;',
    what: 'a change at quorum is acknowledged before the others have it',
  },
  'minority-quorum': {
    scenario: 'replication',
    file: 'src/replication/tally.js',
    find: 'Math.floor(group.length / 2) + 1',
    replace: 'Math.floor(group.length / 2)',
    what: 'less than a majority is a quorum',
  },
  'first-answer': {
    scenario: 'replication',
    file: 'src/net/peers/manyRead.js',
    find: 'return this.#said.find((said) => said === newest);',
    replace: 'return this.#said[0];',
    what: 'a read at quorum is answered with what came first',
  },
  'no-tombstone': {
    scenario: 'replication',
    file: 'src/replication/change.js',
    find: '(isRemoval ? FLAG_TOMBSTONE : 0)',
    replace: '0',
    what: 'a removal is told as an empty value',
  },
  'wall-clock-version': {
    scenario: 'replication',
    file: 'src/replication/change.js',
    find: 'record.version(), true',
    replace: 'BigInt(nowMs) << 22n, true',
    what: 'a change is told under the time at which it is told',
  },
  'no-resend': {
    scenario: 'replication',
    file: 'src/replication/sender.js',
    find: 'this.#outbox.resume(this.#outbox.base);',
    replace: '',
    what: 'what was lost with a connection is not sent again',
  },
  'mark-early': {
    scenario: 'replication',
    file: 'src/replication/sender.js',
    find: 'if (this.idle)\n            done();',
    replace: 'if (true) done();',
    what: 'a peer is held to have what it was not even sent',
  },
  'lost-hint': {
    scenario: 'replication',
    file: 'src/replication/hints.js',
    find: 'mine.set(hint.key, hint);',
    replace: '',
    what: 'what a peer does not take for long is forgotten',
  },
  'old-hint': {
    scenario: 'replication',
    file: 'src/replication/hints.js',
    find: 'known.version >= hint.version',
    replace: 'known.version <= hint.version',
    what: 'of two changes of a key the older one is kept',
  },
  'one-owner-told': {
    scenario: 'replication',
    file: 'src/replication/distributor.js',
    find: 'return [...ids].map(',
    replace: 'return [...ids].slice(0, 2).map(',
    what: 'not all owners are told of a change',
  },
  'token-ignored': {
    scenario: 'replication',
    file: 'src/net/peers/switchboard.js',
    find: 'this.sessions.hold(party, session, frame)',
    replace: 'false',
    what: 'what a session has written elsewhere is not waited for',
  },
  'generation-ignored': {
    scenario: 'replication',
    file: 'src/net/peers/claims.js',
    find: 'reach.generation(row) !== generations.get(id)',
    replace: 'false',
    what: 'what was given up counts as told',
  },
  'lost-memory-counts': {
    scenario: 'replication',
    file: 'src/replication/recovery.js',
    find: 'if (sound > group.length - majority)',
    replace: 'if (true)',
    what: 'who has lost everything answers reads at quorum at once',
  },
  'refused-and-made': {
    scenario: 'replication',
    file: 'src/net/peers/switchboard.js',
    find: 'if (!isReached(owners, level, has))',
    replace:
      'if (!isReached(owners, level, has)) void this.#refuse(asked, STATUS.UNAVAILABLE);' +
      'if (false)',
    what: 'a change is said not to be made, and made all the same',
  },
  'ahead-accepted': {
    scenario: 'replication',
    file: 'src/net/peers/clocks.js',
    find: '* UPPER_MS + lowerMs > limitMs',
    replace: '* UPPER_MS + lowerMs > Infinity',
    what: 'changes are taken from however far ahead',
  },
  'witness-early': {
    scenario: 'replication',
    file: 'src/net/peers/sessions.js',
    find: 'row === undefined ? -1 : reach.attained(row)',
    replace: 'mark?.position ?? 0',
    what: 'a session is told that somebody has what was not even sent there',
  },
  'merge-by-arrival': {
    scenario: 'replication',
    file: 'src/net/peers/switchboard.js',
    find: 'if (!this.#knows && !party.isPeer)',
    replace:
      'const bytes = new DataView(frame.buffer, frame.byteOffset, frame.length);' +
      'for (let at = 0; party.isPeer && at < frame.length; at += bytes.getUint32(at, true)) {' +
      'if (bytes.getUint8(at + 8) !== 0x15) continue;' +
      'const version = (BigInt(this.#parts.clock.nowMs()) << 22n) | BigInt(at);' +
      'bytes.setBigUint64(at + 20, version, true); }' +
      'if (!this.#knows && !party.isPeer)',
    what: 'of two changes the one that comes last counts',
  },
  'hauled-too-early': {
    scenario: 'moving',
    file: 'src/rebalance/mover.js',
    find: '?.lacking === false',
    replace: '?.lacking !== true',
    what: 'who does not know yet where its changes go is hauled from',
  },
  'lower-epoch-accepted': {
    scenario: 'leading',
    file: 'src/net/peers/fences.js',
    find: 'fence.epoch >= epoch && view.isInGoodStanding(fence.from)',
    replace: 'true',
    what: 'changes are taken from who tells them under a lower epoch',
  },
  'stale-counts': {
    scenario: 'stale',
    file: 'src/net/peers/fences.js',
    find: 'if (epoch < number) {',
    replace: 'if (false) {',
    what: 'nobody tells an owner that knows an older configuration that it does',
  },
  'chain-unawaited': {
    scenario: 'leading',
    file: 'src/net/peers/ledWay.js',
    find: '[view.chainOf(key).map(({ id }) => id)]',
    replace: '[[view.self]]',
    what: 'the head of a chain acknowledges what the tail has not',
  },
};
