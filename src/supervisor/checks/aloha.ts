import { alohaFirewallRules, isAlohaClient, isAlohaServer } from '../../aloha/health.ts';
import { hostConfig } from '../../config/load.ts';
import { get, type HttpAnswer } from '../../http/request.ts';
import { type Check, type Component, explainHang, judge } from '../verdict.ts';

/** Whether the Aloha server answers as itself. */
export const checkAlohaServer: Check = (context) => {
  const { server_url } = hostConfig(context.loaded.config, context.host).aloha;
  return checkAloha(context, 'aloha_server', server_url, '/', isAlohaServer);
};

/** Whether the Aloha client answers as itself. */
export const checkAlohaClient: Check = (context) => {
  const { client_url } = hostConfig(context.loaded.config, context.host).aloha;
  return checkAloha(context, 'aloha_client', client_url, '/run_task', isAlohaClient);
};

function checkAloha(
  { loaded, signal }: Parameters<Check>[0],
  component: Component,
  base: string,
  path: string,
  isItself: (answer: HttpAnswer) => boolean,
) {
  const { timeout: timeoutMs } = loaded.config;
  return judge(component, signal, async () => {
    try {
      const answer = await get({ url: base + path, timeoutMs, attempts: 1, signal });
      if (isItself(answer)) return { reason: 'answers', detail: base };
      const detail = `${base}${path} answers ${answer.status}, but not as Aloha does`;
      return { state: 'failed', reason: 'not_aloha', detail, hints: ['is another program listening on that port?'] };
    } catch (error) {
      return explainHang(error, base, alohaFirewallRules, timeoutMs, signal);
    }
  });
}
