import type { Command } from 'commander';
import { systemClock } from '../../base/clock.js';
import { formatSizeExactly } from '../../base/sizes.js';
import { systemTimers } from '../../base/timers.js';
import { VERSION } from '../../base/version.js';
import type { Config } from '../../config/config.js';
import type { SettingName } from '../../config/settings.js';
import { type Context, type RunningNode, type Session, say } from '../context.js';
import { EXIT } from '../exitCodes.js';
import { runLocalCluster } from '../localCluster.js';
import { configFrom, flagsIn, type SettingFlags, withSettings } from '../settingFlags.js';
import { jsonText } from '../shownValue.js';
import { serveUntilSignal } from '../shutdown.js';

const EXAMPLES = `
Examples:
  orlop serve                                 on 127.0.0.1:7700
  orlop serve --memory 512mb --threads 2
  orlop serve --config config/prod.yaml --port 7701
  ORLOP_AUTH_TOKEN=… orlop serve --host 0.0.0.0
  orlop serve --nodes 3                       a cluster of three on this machine, see orlop dev

SIGTERM and SIGINT finish requests in work and end with 0; a second one stops at once.
"orlop config" takes the same flags and shows what would be in force.`;

function urlOf(config: Config, port: number): string {
  const host = config.host.includes(':') ? `[${config.host.replace(/[[\]]/g, '')}]` : config.host;
  return `ws://${host}:${port}`;
}

function textMode(config: Config, context: Context): boolean {
  if (config.logFormat === 'auto') return context.stdout.isTTY === true;
  return config.logFormat === 'text';
}

/** Settings that each node of a local cluster has for itself. */
const OWN: readonly SettingName[] = ['name', 'port', 'gossip-port', 'join', 'data-dir'];

/** The flags that were given for all nodes; text for people where people look. */
function localFlags(given: SettingFlags, context: Context): string[] {
  const flags = Object.entries(flagsIn(given)).filter(([name]) => !isOwn(name));
  const text = given.logFormat === undefined && context.stdout.isTTY === true;
  return [
    ...flags.flatMap(([name, value]) => [`--${name}`, value]),
    ...(given.config === undefined ? [] : ['--config', given.config]),
    ...(text ? ['--log-format', 'text'] : []),
  ];
}

function isOwn(name: string): boolean {
  return OWN.includes(name as SettingName);
}

/** Text for people; where the log is JSON lines this is one more of them. */
function announce(config: Config, node: RunningNode, context: Context): void {
  const url = urlOf(config, node.port);
  const { threads, policy } = config;
  const memory = formatSizeExactly(config.memoryBytes);
  if (textMode(config, context)) {
    const served = threads === 0 ? 'main thread' : `${threads} I/O thread${threads > 1 ? 's' : ''}`;
    say(context, `orlop ${VERSION} listens on ${url} (${served}, ${memory}, ${policy})`);
    return;
  }
  const time = systemClock.nowMs();
  const facts = { version: VERSION, url, port: node.port, threads, memory, policy };
  say(context, jsonText({ level: 'info', time, ...facts, msg: 'listening' }));
}

/** Adds the number of nodes that are to run on this machine. */
export function withNodes(command: Command, fallback?: string): Command {
  return command.option('--nodes <number>', 'nodes to run here, as one cluster', fallback);
}

/** A local cluster of as many nodes as `--nodes` says, with the other flags for each of them. */
export async function serveLocally(given: SettingFlags, session: Session): Promise<void> {
  const { config } = configFrom(given, session);
  const main = process.argv[1] ?? '';
  const port = String(config.port);
  const well = await runLocalCluster(
    {
      nodes: Number(given.nodes),
      port: Number(port),
      flags: localFlags(given, session),
      dataDir: config.dataDir,
      command: [process.execPath, ...process.execArgv, main],
    },
    session,
  );
  if (!well) session.exitCode = EXIT.server;
}

async function serve(given: SettingFlags, context: Session): Promise<void> {
  if (given.nodes !== undefined) return serveLocally(given, context);
  const { config } = configFrom(given, context);
  const node = await context.startNode(config);
  announce(config, node, context);
  await serveUntilSignal(node, config.drainMs, systemTimers, context);
}

/** `orlop serve` */
export function define(command: Command, context: Session): void {
  withNodes(withSettings(command))
    .description('Starts a node that serves WebSocket and HTTP on one port, until it is stopped.')
    .addHelpText('after', EXAMPLES)
    .action((flags: SettingFlags) => serve(flags, context));
}
