import { defineGroup } from './command.ts';

export default defineGroup('hatchet', "Hatchet's server: how it is, and bringing one up", {
  status: () => import('./hatchet/status.ts'),
  compose: () => import('./hatchet/compose.ts'),
  up: () => import('./hatchet/up.ts'),
  down: () => import('./hatchet/down.ts'),
});
