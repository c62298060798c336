import { defineGroup } from './command.ts';

export default defineGroup('playwright', 'The browser on Windows, by a Playwright server', {
  install: () => import('./playwright/install.ts'),
  health: () => import('./playwright/health.ts'),
  run: () => import('./playwright/run.ts'),
  types: () => import('./playwright/types.ts'),
});
