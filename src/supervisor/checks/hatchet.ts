import { found, skipped, wrong } from '../../core/finding.ts';
import { versions } from '../../core/version.ts';
import { get } from '../../http/request.ts';
import { type Check, judge } from '../verdict.ts';

/** Whether Hatchet is alive and ready; not asked where jobs run on the local engine. */
export const checkHatchet: Check = ({ loaded, signal }) =>
  judge('hatchet', signal, async () => {
    const { config, secrets } = loaded;
    if (config.jobs.engine === 'local' || (config.jobs.engine === 'auto' && secrets.hatchetToken === undefined)) {
      return skipped('engine_local', 'jobs run on the local engine');
    }
    for (const path of ['/live', '/ready']) {
      const url = config.hatchet.health_url + path;
      const { status } = await get({ url, timeoutMs: config.timeout, attempts: 1, signal });
      if (status === 200) continue;
      return wrong('not_ready', `${url} answers ${status}`, ['it may be starting: try again in a minute']);
    }
    return found('ready', `${config.hatchet.health_url}, SDK ${versions.hatchetSdk}`);
  });
