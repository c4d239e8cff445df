import { relative } from 'node:path';
import {
  isCallExpression,
  isIdentifier,
  isNewExpression,
  isRegularExpressionLiteral,
  isStringLiteralLikeNode,
  type Node,
  type SourceFile,
} from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

/** A regular expression that the code makes, and where. */
export interface Expression {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Undefined where `RegExp` gets a source that is known only at run time. */
  readonly source: string | undefined;
  readonly flags: string;
}

type Made = Pick<Expression, 'source' | 'flags'>;

/** The regular expression that a node of the syntax tree makes, if it makes one. */
const madeBy = (node: Node): Made | undefined => {
  if (isRegularExpressionLiteral(node)) {
    const end = node.text.lastIndexOf('/');
    return { source: node.text.slice(1, end), flags: node.text.slice(end + 1) };
  }
  if (!isNewExpression(node) && !isCallExpression(node)) return undefined;
  if (!isIdentifier(node.expression) || node.expression.text !== 'RegExp') return undefined;
  const [source, flags] = (node.arguments ?? []).map((one) =>
    isStringLiteralLikeNode(one) ? one.text : undefined,
  );
  return { source, flags: flags ?? '' };
};

const expressionsOf = (file: string, tree: SourceFile): Expression[] => {
  const found: Expression[] = [];
  const visit = (node: Node): void => {
    const made = madeBy(node);
    if (made) found.push({ file, line: tree.text.slice(0, node.end).split('\n').length, ...made });
    node.forEachChild(visit);
  };
  visit(tree);
  return found;
};

/** Every regular expression that the files of the project below `folders` make, in the order of files and lines. */
export const collectExpressions = (root: string, folders: readonly string[]): Expression[] => {
  const compiler = new API({ cwd: root });
  try {
    const [project] = compiler.updateSnapshot({ openProjects: [`${root}/tsconfig.json`] }).getProjects();
    return (project?.rootFiles ?? []).toSorted().flatMap((path) => {
      const file = relative(root, path);
      if (!folders.some((folder) => file.startsWith(`${folder}/`))) return [];
      const tree = project?.program.getSourceFile(path);
      return tree === undefined ? [] : expressionsOf(file, tree);
    });
  } finally {
    compiler.close();
  }
};
