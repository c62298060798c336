import * as v from 'valibot';
import { AutomationError } from '../../core/errors.ts';
import { exitCodeOf, exitCodes } from '../../core/exit-codes.ts';
import { versions } from '../../core/version.ts';
import { probeServer } from '../../hatchet/server.ts';
import { readToken } from '../../hatchet/token.ts';
import { defineAction } from '../command.ts';

/** What `hatchet status --json` prints. */
export const hatchetStatusSchema = v.strictObject({
  state: v.picklist(['ok', 'degraded', 'failed']),
  live: v.boolean(),
  ready: v.boolean(),
  server_version: v.nullable(v.string()),
  hatchet_sdk_version: v.string(),
  compatibility: v.picklist(['tested', 'compatible', 'degraded', 'incompatible', 'unknown']),
  note: v.string(),
  token: v.picklist(['usable', 'missing', 'unusable']),
  http_url: v.string(),
  grpc_address: v.string(),
});

export default defineAction({
  name: 'status',
  description: "Whether the server is alive and ready, its version, and whether this program's SDK goes with it",
  examples: ['hatchet status', 'hatchet status --json'],
  run: async (invocation) => {
    const { output, signal, op } = invocation;
    const { loaded, logger } = await invocation.open();
    const { http_url, grpc_address } = loaded.config.hatchet;
    const server = await probeServer(loaded, signal);
    const { isLive, isReady, serverVersion, problem, note } = server;
    const compatibility = serverVersion === undefined ? 'unknown' : server.compatibility;
    const token = tokenState(loaded.secrets.hatchetToken);
    const isDown = !isLive || !isReady || serverVersion === undefined || compatibility === 'incompatible';
    const document: v.InferOutput<typeof hatchetStatusSchema> = {
      state: isDown ? 'failed' : compatibility === 'degraded' || token === 'unusable' ? 'degraded' : 'ok',
      live: isLive,
      ready: isReady,
      server_version: serverVersion ?? null,
      hatchet_sdk_version: versions.hatchetSdk,
      compatibility,
      note,
      token,
      http_url,
      grpc_address,
    };
    if (problem !== undefined) logger.error(op, problem.message, { code: problem.code, hint: problem.hint });
    await output.payload({ ...document }, document);
    if (!isDown) return document.state === 'ok' ? exitCodes.success : exitCodes.failure;
    return problem === undefined ? exitCodes.unavailable : exitCodeOf(problem);
  },
});

function tokenState(token: string | undefined): 'usable' | 'missing' | 'unusable' {
  if (token === undefined) return 'missing';
  try {
    readToken(token, new Date());
    return 'usable';
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    return 'unusable';
  }
}
