import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { baseName, joinRemote, sftpPath, windowsPath } from '../../src/windows/paths.ts';

describe('remote paths', () => {
  it('begin with a slash before the drive in SFTP', () => {
    assert.equal(sftpPath('C:\\a\\b c'), '/C:/a/b c');
    assert.equal(sftpPath('c:/a'), '/c:/a');
    assert.equal(sftpPath('C:'), '/C:');
  });
  it('stay as they are without a drive', () => {
    assert.equal(sftpPath('a/b'), 'a/b');
    assert.equal(sftpPath('/tmp/x'), '/tmp/x');
    assert.equal(windowsPath('/tmp/x'), '/tmp/x');
  });
  it('come back the same', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z ]{1,8}$/)), (parts) => {
        const path = ['C:', ...parts].join('\\');
        assert.equal(windowsPath(sftpPath(path)), path);
      }),
    );
  });
  it('know their last part and can be joined', () => {
    assert.equal(baseName('C:\\a\\b\\'), 'b');
    assert.equal(joinRemote('/C:/a', 'b'), '/C:/a/b');
    assert.equal(joinRemote('/C:/a/', 'b'), '/C:/a/b');
  });
});
