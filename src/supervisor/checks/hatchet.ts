import { engineNameOf } from '../../config/engine-name.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import { degraded, found, skipped, wrong } from '../../core/finding.ts';
import { versions } from '../../core/version.ts';
import { probeServer } from '../../hatchet/server.ts';
import { type Check, judge } from '../verdict.ts';

/** Whether Hatchet is alive, ready and of a version that fits; not asked where jobs run on the local engine. */
export const checkHatchet: Check = ({ loaded, signal }) =>
  judge('hatchet', signal, async () => {
    if (engineNameOf(loaded) === 'local') return skipped('engine_local', 'jobs run on the local engine');
    const { isLive, isReady, serverVersion, compatibility, note, problem } = await probeServer(loaded, signal);
    if (!isLive && problem !== undefined) throw problem;
    if (!isReady) {
      const detail = problem?.message ?? `${loaded.config.hatchet.health_url} is not ready`;
      return wrong('not_ready', detail, ['it may be starting: try again in a minute'], exitCodes.unavailable);
    }
    // Alive and ready, but its REST API, which is another port, can't be asked.
    if (serverVersion === undefined && problem !== undefined) throw problem;
    const detail = `${loaded.config.hatchet.http_url}, server ${serverVersion}, SDK ${versions.hatchetSdk}: ${compatibility}`;
    const seen = { hatchet_server_version: serverVersion ?? 'unknown' };
    if (compatibility === 'incompatible') {
      return { ...wrong('version_mismatch', detail, [note], exitCodes.unavailable), versions: seen };
    }
    if (compatibility === 'degraded') {
      return { ...degraded('version_degraded', `${detail}: ${note}`, [note]), versions: seen };
    }
    return found('ready', detail, seen);
  });
