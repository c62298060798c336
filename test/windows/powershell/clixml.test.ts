import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeClixml } from '../../../src/windows/powershell/clixml.ts';

/** As powershell.exe writes it, in as many records as given. */
function clixml(texts: readonly string[]): string {
  const encode = (text: string) =>
    text
      .replace(/_x(?=[0-9A-Fa-f]{4}_)/g, '_x005F_x')
      .replace(/[^ -~]/g, (unit) => `_x${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;');
  const records = texts.map((text) => `<S S="Error">${encode(text)}</S>`).join('');
  return `#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">${records}</Objs>`;
}

describe('CLIXML', () => {
  it('turns back into the text of its errors', () => {
    assert.equal(decodeClixml(clixml(['boom\r\n', 'at line 1\r\n'])), 'boom\r\nat line 1\r\n');
  });

  it('drops progress records', () => {
    const progress = '<Obj S="progress" RefId="0"><TN RefId="0"><T>x</T></TN></Obj>';
    assert.equal(decodeClixml(clixml(['a']).replace('<S S', `${progress}<S S`)), 'a');
  });

  it('leaves other text alone, also around it', () => {
    assert.equal(decodeClixml('plain <S S="Error">x</S>'), 'plain <S S="Error">x</S>');
    assert.equal(decodeClixml(`before\n${clixml(['x'])}`), 'before\nx');
    assert.equal(decodeClixml('#< CLIXML\r\n<Objs cut off'), '#< CLIXML\r\n<Objs cut off');
  });

  it('gives back any text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (texts) => {
        assert.equal(decodeClixml(clixml(texts)), texts.join(''));
      }),
    );
  });
});
