import { defineGroup } from './command.ts';

export default defineGroup('jobs', 'Durable jobs: enqueue, watch, cancel, run again, schedule', {
  enqueue: () => import('./jobs/enqueue.ts'),
  status: () => import('./jobs/status.ts'),
  list: () => import('./jobs/list.ts'),
  watch: () => import('./jobs/watch.ts'),
  logs: () => import('./jobs/logs.ts'),
  cancel: () => import('./jobs/cancel.ts'),
  replay: () => import('./jobs/replay.ts'),
  schedule: () => import('./jobs/schedule.ts'),
  schedules: () => import('./jobs/schedules.ts'),
  unschedule: () => import('./jobs/unschedule.ts'),
});
