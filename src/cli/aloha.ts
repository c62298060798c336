import { defineGroup } from './command.ts';

export default defineGroup('aloha', 'GUI tasks by the Aloha agent', {
  health: () => import('./aloha/health.ts'),
  run: () => import('./aloha/run.ts'),
});
