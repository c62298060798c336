import { put } from '../../windows/files.ts';
import { defineTransfer } from './transfer.ts';

export default defineTransfer({
  name: 'put',
  description: 'Uploads a file or a folder; a file gets its name only when all of it is there',
  examples: ['windows put app.zip C:\\apps\\app.zip --verify', 'windows put --recursive ./site C:\\inetpub\\site'],
  from: 'a file or folder of this machine',
  to: 'a path on Windows, or one relative to the home folder there',
  transfer: put,
  isForMany: true,
});
