import { get } from '../../windows/files.ts';
import { defineTransfer } from './transfer.ts';

export default defineTransfer({
  name: 'get',
  description: 'Downloads a file or a folder; a file gets its name only when all of it is there',
  examples: ['windows get C:\\logs\\app.log .', 'windows get --recursive C:\\logs ./logs'],
  from: 'a path on Windows, or one relative to the home folder there',
  to: 'a path on this machine',
  transfer: get,
  isForMany: false,
});
