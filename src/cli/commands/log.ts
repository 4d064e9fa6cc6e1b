import type { Command } from 'commander';
import { systemClock } from '../../base/clock.js';
import { systemRandom } from '../../base/random.js';
import { readKeyFile } from '../../config/keyFile.js';
import { type Device, encryptedDevice, systemDevice } from '../../log/device.js';
import { KeyRing } from '../../log/keys.js';
import { lockFolder } from '../../log/lock.js';
import { type FolderReport, reportOn, stateOf } from '../../log/report.js';
import { DAMAGED_SUFFIX, type SalvageReport, salvageFolder } from '../../log/salvage.js';
import type { Survey } from '../../log/survey.js';
import { type Session, say } from '../context.js';
import { EXIT } from '../exitCodes.js';
import { jsonText } from '../shownValue.js';
import { columns } from '../table.js';

const EXAMPLES = `
Examples:
  orlop log inspect /var/lib/orlop            files, records and times; no keys
  orlop log verify /var/lib/orlop && echo ok  checks everything, ends with 1 if anything is damaged
  orlop log salvage /var/lib/orlop            makes a damaged log usable again, without its node

The first two change nothing and may run beside a node. The third keeps each damaged file under
another name and puts what is whole of it in its place.`;

interface LogFlags {
  readonly json?: boolean;
  readonly dataKeyFile?: string;
}

/** The files of this machine, read and written with the keys that were given. */
function deviceOf({ dataKeyFile }: LogFlags): Device {
  if (dataKeyFile === undefined) return systemDevice;
  return encryptedDevice(new KeyRing(readKeyFile(dataKeyFile)));
}

const HEADS = ['FILE', 'PURPOSE', 'BYTES', 'BLOCKS', 'PUTS', 'REMOVES', 'CLEARS', 'FROM', 'TO'];

/** The time in a version, which stands above 22 bits of counter. */
function timeOf(version: bigint): string {
  return version === 0n ? '-' : new Date(Number(version >> 22n)).toISOString();
}

function rowOf(survey: Survey): string[] {
  const { summary } = survey;
  const counts = [summary.puts, summary.removes, summary.clears].map(String);
  const times = [timeOf(summary.lowest), timeOf(summary.highest)];
  const sizes = [String(survey.fileBytes), String(survey.blocks)];
  return [survey.name, survey.purpose ?? '?', ...sizes, ...counts, ...times, stateOf(survey)];
}

function documentOf(survey: Survey): object {
  const { summary, beyond, name, purpose, condition, fileBytes, end, problem, blocks } = survey;
  const { records, puts, removes, clears, bytes } = summary;
  const versions = {
    lowest: String(summary.lowest),
    highest: String(summary.highest),
    cleared: String(summary.cleared),
  };
  const counts = { blocks, records, puts, removes, clears, bytes };
  return { name, purpose, condition, fileBytes, end, problem, ...counts, versions, beyond };
}

function show(report: FolderReport, flags: LogFlags, session: Session): void {
  const { folder, node, surveys, strangers } = report;
  if (flags.json) {
    say(session, jsonText({ folder, node, strangers, files: surveys.map(documentOf) }));
    return;
  }
  say(session, `log of node ${node} in ${folder}`);
  say(session, columns([[...HEADS, 'STATE'], ...surveys.map(rowOf)]));
  for (const name of strangers) say(session, `${name} is left over and does not count`);
}

function inspect(folder: string, flags: LogFlags, session: Session): void {
  show(reportOn(deviceOf(flags), folder), flags, session);
}

function verify(folder: string, flags: LogFlags, session: Session): void {
  const report = reportOn(deviceOf(flags), folder);
  show(report, flags, session);
  const damaged = report.surveys.filter(({ condition }) => condition === 'damaged');
  if (damaged.length > 0) session.exitCode = EXIT.negative;
}

function salvage(folder: string, flags: LogFlags, session: Session): void {
  const lock = lockFolder(folder);
  try {
    const parts = { device: deviceOf(flags), clock: systemClock, random: systemRandom };
    const report = salvageFolder(parts, folder);
    if (flags.json) say(session, jsonText(report));
    else for (const line of linesOf(report)) say(session, line);
  } finally {
    lock.release();
  }
}

function linesOf({ manifestProblem, files }: SalvageReport): string[] {
  const lines = files.map(({ name, problem, into, keptRecords, lostBytes }) => {
    const kept = `${keptRecords} records are now in ${into}, ${lostBytes} bytes are lost`;
    return `${name}: ${problem}; ${kept}; the file is kept as ${name}${DAMAGED_SUFFIX}`;
  });
  if (manifestProblem !== undefined) lines.unshift(`MANIFEST made anew: ${manifestProblem}`);
  if (lines.length === 0) return ['nothing is damaged'];
  return [...lines, 'keys that were changed in the lost part may show older values'];
}

/** `orlop log …` */
export function define(command: Command, session: Session): void {
  command.description('Looks into the folder of a log.').addHelpText('after', EXAMPLES);
  command
    .command('inspect <folder>')
    .description('Lists the files of a log and what they hold.')
    .option('--json', 'print JSON, for programs')
    .option('--data-key-file <file>', 'the keys of an encrypted log')
    .action((folder: string, flags: LogFlags) => inspect(folder, flags, session));
  command
    .command('verify <folder>')
    .description('Checks every block of a log.')
    .option('--json', 'print JSON, for programs')
    .option('--data-key-file <file>', 'the keys of an encrypted log')
    .action((folder: string, flags: LogFlags) => verify(folder, flags, session));
  command
    .command('salvage <folder>')
    .description('Replaces what is damaged of a log by what can still be read of it.')
    .option('--json', 'print JSON, for programs')
    .option('--data-key-file <file>', 'the keys of an encrypted log')
    .action((folder: string, flags: LogFlags) => salvage(folder, flags, session));
}
