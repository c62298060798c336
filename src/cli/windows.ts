import { defineGroup } from './command.ts';

export default defineGroup('windows', 'Commands and files on Windows, over SSH', {
  exec: () => import('./windows/exec.ts'),
});
