import { defineGroup } from './command.ts';

export default defineGroup('config', 'The effective configuration', {
  show: () => import('./config/show.ts'),
  check: () => import('./config/check.ts'),
  schema: () => import('./config/schema.ts'),
});
