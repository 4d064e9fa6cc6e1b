import type { Command } from 'commander';
import type { Session } from '../context.js';
import { type SettingFlags, withSettings } from '../settingFlags.js';
import { serveLocally, withNodes } from './serve.js';

const EXAMPLES = `
Examples:
  orlop dev                                   three nodes on 127.0.0.1:7700, 7710 and 7720
  orlop dev --nodes 5 --memory 64mb
  orlop dev --data-dir /tmp/orlop             each node with its log in a folder of its own
  orlop cluster status                        in another terminal

Ctrl-C stops all nodes in order; a second time, at once.`;

/** `orlop dev` */
export function define(command: Command, session: Session): void {
  withNodes(withSettings(command), '3')
    .description('Runs a cluster of several nodes on this machine, in one terminal.')
    .addHelpText('after', EXAMPLES)
    .action((flags: SettingFlags) => serveLocally(flags, session));
}
