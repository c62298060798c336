import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ProblemsError } from '../core/errors.ts';
import { readJsonFile } from './file.ts';
import { replaceFile } from './replace-file.ts';
import { httpUrl, line } from './values.ts';

/** What `hatchet up` leaves in `state_dir`, for every other command to find. */
const schema = v.strictObject({
  http_url: httpUrl().schema,
  grpc_address: line('an address').schema,
  health_url: httpUrl().schema,
  token: v.pipe(v.string(), v.minLength(1)),
});
export type LocalHatchet = v.InferOutput<typeof schema>;

const pathOf = (stateDir: string): string => join(stateDir, 'hatchet.json');

/** The token alone, for whoever wants a file to name. */
export const tokenFileOf = (stateDir: string): string => join(stateDir, 'hatchet-token');

/**
 * The server that was brought up here, if one was.
 *
 * @throws ProblemsError `config_invalid` where what is there can't be read
 */
export async function readLocalHatchet(stateDir: string): Promise<LocalHatchet | undefined> {
  const path = pathOf(stateDir);
  if (!existsSync(path)) return undefined;
  const parsed = v.safeParse(schema, await readJsonFile(path, 'the file of hatchet up,'));
  if (parsed.success) return parsed.output;
  throw new ProblemsError('config_invalid', [`the file of hatchet up, ${path}: it is damaged`], {
    hint: 'run win-automation hatchet up again, or remove the file',
  });
}

/** Writes both files, for their owner's eyes only. */
export async function writeLocalHatchet(stateDir: string, server: LocalHatchet): Promise<void> {
  await replaceFile(tokenFileOf(stateDir), `${server.token}\n`);
  await replaceFile(pathOf(stateDir), `${JSON.stringify(server)}\n`);
}

export async function removeLocalHatchet(stateDir: string): Promise<void> {
  for (const path of [pathOf(stateDir), tokenFileOf(stateDir)]) await rm(path, { force: true });
}
