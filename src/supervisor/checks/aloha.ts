import { type AlohaPart, probeAloha } from '../../aloha/health.ts';
import { hostConfig } from '../../config/load.ts';
import { type Check, judge } from '../verdict.ts';

const checkAloha =
  (part: AlohaPart): Check =>
  ({ loaded, host, windows, signal }) => {
    const { aloha } = hostConfig(loaded.config, host);
    const options = { aloha, timeoutMs: loaded.config.timeout, attempts: 1, signal };
    return judge(part, signal, () => probeAloha(part, windows, options));
  };

/** Whether the Aloha server answers as itself. */
export const checkAlohaServer = checkAloha('aloha_server');

/** Whether the Aloha client answers as itself. */
export const checkAlohaClient = checkAloha('aloha_client');
