import { defineGroup } from './command.ts';

export default defineGroup('supervisor', 'Notices what broke on the Windows side, and repairs it', {
  run: () => import('./supervisor/run.ts'),
  status: () => import('./supervisor/status.ts'),
});
