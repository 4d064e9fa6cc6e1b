import ts from 'typescript';
import type { Finding, Source } from '../support/sources.js';
import { at, nodesOf } from '../support/syntax.js';

/** No `any`. */
export function noAny(source: Source): Finding[] {
  return nodesOf(source)
    .filter((node) => node.kind === ts.SyntaxKind.AnyKeyword)
    .map((node) => at(source, node, 'any: write the type, or unknown and a check'));
}

/** No default exports. */
export function noDefaultExport(source: Source): Finding[] {
  return nodesOf(source)
    .filter((node) => ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword)
    .filter((node) => !ts.isDefaultClause(node))
    .map((node) => at(source, node, 'default export: export it by its name'));
}

/** No test is left out. */
export function noSkippedTests(source: Source): Finding[] {
  return nodesOf(source)
    .filter(ts.isPropertyAccessExpression)
    .filter((node) => /^(describe|it|test)\b.*\.(only|skip|todo)$/s.test(node.getText()))
    .map((node) => at(source, node, `${node.getText()}: run all tests, or delete this one`));
}

const MARKERS = new RegExp(
  `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`,
);
const SILENCERS = new RegExp(`@ts-${'ignore'}|@ts-${'nocheck'}|biome-${'ignore'}-all`);

/** No reminders and no silenced checks are left behind. */
export function noLeftovers(source: Source): Finding[] {
  return source.text.split('\n').flatMap((line, index) => {
    const where = `${source.path}:${index + 1}`;
    const marker = MARKERS.exec(line)?.[0];
    if (marker !== undefined) return [`${where} ${marker}: do it now, or say why it is not needed`];
    const silencer = SILENCERS.exec(line)?.[0];
    return silencer === undefined ? [] : [`${where} ${silencer}: make the code pass the check`];
  });
}
