/** The flag of every command about one job's artifacts. */
export const jobFlag = { job: { type: 'string', valueHint: 'ID', description: 'the job', required: true } } as const;
