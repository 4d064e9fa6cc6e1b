import { posix } from 'node:path';
import ts from 'typescript';
import type { Source } from './sources.js';
import { nodesOf } from './syntax.js';

/** What a file names with `import`, `export … from` or `import()`. */
export interface Import {
  readonly specifier: string;
  readonly node: ts.Node;
  /** Gone after compilation. */
  readonly typeOnly: boolean;
}

function importOf(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    const module = node.moduleSpecifier;
    if (module === undefined || !ts.isStringLiteral(module)) return undefined;
    const typeOnly = ts.isExportDeclaration(node)
      ? node.isTypeOnly
      : node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { specifier: module.text, node, typeOnly };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    const literal = node.argument.literal;
    return ts.isStringLiteral(literal)
      ? { specifier: literal.text, node, typeOnly: true }
      : undefined;
  }
  if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) {
    return undefined;
  }
  const argument = node.arguments[0];
  if (argument === undefined || !ts.isStringLiteralLike(argument)) return undefined;
  return { specifier: argument.text, node, typeOnly: false };
}

/** All imports of a file. */
export function importsOf(source: Source): Import[] {
  return nodesOf(source)
    .map(importOf)
    .filter((found) => found !== undefined);
}

/** The path of the file that a relative import means; nothing for a package. */
export function resolve(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const path = posix.join(posix.dirname(from), specifier.replace(/\.js$/, '.ts'));
  return path.endsWith('.ts') || path.endsWith('.json') ? path : `${path}.ts`;
}
