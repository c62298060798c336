import { defineGroup } from './command.ts';

export default defineGroup('windows', 'Commands and files on Windows, over SSH', {
  exec: () => import('./windows/exec.ts'),
  script: () => import('./windows/script.ts'),
  put: () => import('./windows/put.ts'),
  get: () => import('./windows/get.ts'),
  status: () => import('./windows/status.ts'),
  screenshot: () => import('./windows/screenshot.ts'),
  bootstrap: () => import('./windows/bootstrap.ts'),
  selftest: () => import('./windows/selftest.ts'),
});
