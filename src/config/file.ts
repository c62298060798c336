import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { messageOf, ProblemsError, systemCodeOf } from '../core/errors.ts';

const maxFileBytes = 1024 * 1024;

const reasonByCode: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'it may not be read by this user',
  EPERM: 'it may not be read by this user',
  ELOOP: 'its symbolic links go round in circles',
  EISDIR: 'it is a folder',
};

/**
 * Reads a small text file that the user named: configuration, a secret, a key. At once, since it is read faster than another
 * thread could be asked to.
 *
 * @param what names it in the error, such as `configuration file`
 * @throws ProblemsError `config_invalid`, if it is missing, unreadable, no regular file, or over 1 MiB
 */
export function readSmallFile(path: string, what: string): string {
  return readSmallFileBytes(path, what).toString('utf8');
}

/** The bytes of such a file. See `readSmallFile`. */
export function readSmallFileBytes(path: string, what: string): Buffer {
  const refuse = (reason: string) => new ProblemsError('config_invalid', [`${what} ${path}: ${reason}`]);
  let file: number | undefined;
  try {
    // A pipe that nobody writes to must not hold us.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = fstatSync(file);
    if (facts.isDirectory()) throw refuse('it is a folder');
    if (!facts.isFile()) throw refuse('it is not a regular file');
    if (facts.size > maxFileBytes) throw refuse(`${facts.size} bytes are too many; at most ${maxFileBytes} are read`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof ProblemsError) throw error;
    throw refuse(reasonByCode[systemCodeOf(error) ?? ''] ?? messageOf(error));
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * Reads a JSON document from a file.
 *
 * @throws ProblemsError `config_invalid`, with line and column where it is not JSON
 */
export async function readJsonFile(path: string, what: string): Promise<unknown> {
  const text = readSmallFile(path, what).replace(/^\uFEFF/, '');
  if (text.trim() === '') {
    throw new ProblemsError('config_invalid', [`${what} ${path}: it is empty; {} is the least it may hold`]);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const fault = (await firstFault(text)) ?? `: not JSON: ${messageOf(error)}`;
    throw new ProblemsError('config_invalid', [`${what} ${path}${fault}`]);
  }
}

/** `:line:column: not JSON: colon expected`, the same on every engine, where JSON.parse has a wording of its own. */
async function firstFault(text: string): Promise<string | undefined> {
  const { parse, printParseErrorCode } = await import('jsonc-parser');
  const faults: import('jsonc-parser').ParseError[] = [];
  parse(text, faults, { disallowComments: true });
  const [first] = faults;
  if (first === undefined) return undefined;
  const before = text.slice(0, first.offset).split('\n');
  const reason = printParseErrorCode(first.error)
    .replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .toLowerCase();
  return `:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: not JSON: ${reason}`;
}
