import { basename } from 'node:path';
import { readSmallFileBytes } from '../../config/file.ts';
import { ProblemsError } from '../../core/errors.ts';

export interface ScriptFile {
  readonly text: string;
  /** The file name that errors point at. */
  readonly name: string;
}

/**
 * Reads a .ps1 file as PowerShell does: UTF-8, or UTF-16 where it begins with a byte order mark of that.
 *
 * @throws ProblemsError `config_invalid` where it can't be read or is neither
 */
export function readScript(path: string): ScriptFile {
  const bytes = readSmallFileBytes(path, 'script');
  // PowerShell runs no file by any other ending.
  const name = basename(path).replace(/(\.ps1)?$/i, '.ps1');
  const label =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return { text: new TextDecoder(label, { fatal: true }).decode(bytes), name };
  } catch {
    throw new ProblemsError('config_invalid', [`script ${path}: it is not ${label.toUpperCase()}`], {
      hint: 'save it as UTF-8',
    });
  }
}
