import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Language, type Node, Parser } from 'web-tree-sitter';

const require = createRequire(import.meta.url);
let parser: Parser | undefined;

/** What a real PowerShell grammar finds wrong with a text: `line:column: near "…"`, a fault each. */
export async function grammarFaults(text: string): Promise<string[]> {
  parser ??= await loadParser();
  const tree = parser.parse(text);
  if (tree === null) throw new Error('the grammar gave no tree');
  const faults: string[] = [];
  const visit = (node: Node) => {
    if (node.isError || node.isMissing) {
      const { row, column } = node.startPosition;
      faults.push(`${row + 1}:${column + 1}: near ${JSON.stringify(node.text.slice(0, 60))}`);
    }
    for (const child of node.children) if (child !== null) visit(child);
  };
  visit(tree.rootNode);
  return faults;
}

async function loadParser(): Promise<Parser> {
  await Parser.init();
  const made = new Parser();
  made.setLanguage(
    await Language.load(readFileSync(require.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm'))),
  );
  return made;
}
