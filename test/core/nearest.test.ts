import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { didYouMean, nearest } from '../../src/core/nearest.ts';

describe('the nearest word', () => {
  it('is found for a slip of the finger', () => assert.equal(nearest('exce', ['exec', 'put', 'get']), 'exec'));
  it('is not made up where none is near', () => assert.equal(nearest('banana', ['exec', 'put', 'get']), undefined));
  it('is not a short word that shares nothing', () => assert.equal(nearest('ab', ['xy']), undefined));
  it('is put as a question', () => assert.equal(didYouMean('shwo', ['show']), ' (did you mean show?)'));
});
