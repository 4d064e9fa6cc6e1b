/**
 * A network on this machine: each node lives in a network namespace of its own, and a bridge joins
 * them with the test, which has the first address and can always reach everybody.
 *
 *   node 1 ── eth0 ─┐
 *   node 2 ── eth0 ─┼─ bridge ── the test
 *   node 3 ── eth0 ─┘
 *
 * Nodes are cut off from each other by nftables: each namespace drops what comes from the other
 * side, and counts it. So a partition that nobody ran into can be told from one that happened.
 */
import { execFileSync, spawnSync } from 'node:child_process';

const PREFIX = 'orlop-';
/** Devices are gone some time after their namespace, so each network has names of its own. */
let networks = 0;

/** A set of nodes that reach each other. */
export type Side = readonly number[];

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Why this machine has no such networks; nothing when it has. */
export function networkProblem(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces take root';
  for (const [tool, flag] of [['ip', '-V'] as const, ['nft', '--version'] as const]) {
    if (spawnSync(tool, [flag]).status !== 0) return `there is no ${tool}`;
  }
  const name = `${PREFIX}${process.pid}-try`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (made.status !== 0) return `no network namespace can be made: ${made.stderr.trim()}`;
  const rules = spawnSync('ip', ['netns', 'exec', name, 'nft', 'add', 'table', 'inet', 'try']);
  spawnSync('ip', ['netns', 'del', name]);
  return rules.status === 0 ? undefined : 'nftables can not be used';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Removes what tests that were killed have left behind. */
function sweep(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const [, pid] = /^orlop-(\d+)-/.exec(line) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    ip('netns', 'del', line.split(' ')[0] ?? '');
  }
  for (const [, name = '', pid] of ip('-br', 'link').matchAll(/^(ob(\d+)x\d+)/gm)) {
    if (!isAlive(Number(pid))) spawnSync('ip', ['link', 'del', name]);
  }
}

/** The network of one scenario. */
export class Network {
  readonly #serial = networks++;
  readonly #bridge = `ob${process.pid}x${this.#serial}`;
  readonly #subnet: string;
  readonly #count: number;
  #isCut = false;
  #open = true;
  readonly #atExit = (): void => this.close();

  /** A network of so many nodes, numbered from 0. Throws where there is none to be had. */
  constructor(count: number) {
    this.#count = count;
    this.#subnet = `10.${64 + ((process.pid >> 8) & 63)}.${process.pid & 255}`;
    sweep();
    process.once('exit', this.#atExit);
    try {
      ip('link', 'add', this.#bridge, 'type', 'bridge');
      ip('addr', 'add', `${this.#subnet}.1/24`, 'dev', this.#bridge);
      ip('link', 'set', this.#bridge, 'up');
      for (let n = 0; n < count; n++) this.#addNode(n);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #addNode(n: number): void {
    const [space, cable] = [this.#space(n), this.#cable(n)];
    ip('netns', 'add', space);
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
    ip('link', 'set', cable, 'master', this.#bridge, 'up');
    ip('-n', space, 'addr', 'add', `${this.addressOf(n)}/24`, 'dev', 'eth0');
    for (const device of ['eth0', 'lo']) ip('-n', space, 'link', 'set', device, 'up');
  }

  #space(n: number): string {
    return `${PREFIX}${process.pid}-${this.#serial}-${n}`;
  }

  #cable(n: number): string {
    return `on${process.pid}x${this.#serial}n${n}`;
  }

  /** The address of a node. */
  addressOf(n: number): string {
    return `${this.#subnet}.${n + 2}`;
  }

  /** What a program is started under to run at a node. */
  enter(n: number): string[] {
    return ['ip', 'netns', 'exec', this.#space(n)];
  }

  /** Cuts sides off from each other, in both directions. */
  cut(sides: readonly Side[]): void {
    this.#isCut = true;
    for (const side of sides) {
      const others = sides.filter((other) => other !== side).flat();
      for (const n of side) {
        const drops = others.map((m) => `ip saddr ${this.addressOf(m)} counter drop`);
        const chain = `chain in { type filter hook input priority 0; ${drops.join('; ')}; };`;
        ip('netns', 'exec', this.#space(n), 'nft', `table inet cut { ${chain} }`);
      }
    }
  }

  /** Lets all reach each other again; how many packets were dropped meanwhile. */
  heal(): number {
    if (!this.#isCut) return 0;
    this.#isCut = false;
    let dropped = 0;
    for (let n = 0; n < this.#count; n++) {
      const args = ['netns', 'exec', this.#space(n), 'nft'];
      const { stdout } = spawnSync('ip', [...args, 'list', 'table', 'inet', 'cut']);
      for (const [, packets] of String(stdout).matchAll(/packets (\d+)/g)) {
        dropped += Number(packets);
      }
      spawnSync('ip', [...args, 'delete', 'table', 'inet', 'cut']);
    }
    return dropped;
  }

  /** Takes the network down; its nodes have to have ended. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off('exit', this.#atExit);
    for (let n = 0; n < this.#count; n++) {
      spawnSync('ip', ['link', 'del', this.#cable(n)]);
      spawnSync('ip', ['netns', 'del', this.#space(n)]);
    }
    spawnSync('ip', ['link', 'del', this.#bridge]);
  }
}
