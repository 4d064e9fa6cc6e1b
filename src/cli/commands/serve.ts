import type { Command } from 'commander';
import { systemClock } from '../../base/clock.js';
import { formatSizeExactly } from '../../base/sizes.js';
import { systemTimers } from '../../base/timers.js';
import { VERSION } from '../../base/version.js';
import type { Config } from '../../config/config.js';
import { type Context, type RunningNode, say } from '../context.js';
import { configFrom, type SettingFlags, withSettings } from '../settingFlags.js';
import { jsonText } from '../shownValue.js';
import { serveUntilSignal } from '../shutdown.js';

const EXAMPLES = `
Examples:
  orlop serve                                 on 127.0.0.1:7700
  orlop serve --memory 512mb --threads 2
  orlop serve --config config/prod.yaml --port 7701
  ORLOP_AUTH_TOKEN=… orlop serve --host 0.0.0.0

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

async function serve(given: SettingFlags, context: Context): Promise<void> {
  const { config } = configFrom(given, context);
  const node = await context.startNode(config);
  announce(config, node, context);
  await serveUntilSignal(node, config.drainMs, systemTimers, context);
}

/** `orlop serve` */
export function define(command: Command, context: Context): void {
  withSettings(command)
    .description('Starts a node that serves WebSocket and HTTP on one port, until it is stopped.')
    .addHelpText('after', EXAMPLES)
    .action((flags: SettingFlags) => serve(flags, context));
}
