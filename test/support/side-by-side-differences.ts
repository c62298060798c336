/** Where what we print or how we end is meant to be another than with `pwsh -File` or `pwsh -Command`. */
export const differences = {
  'program-exit': {
    what: 'A program that fails last gives its exit code; `-File` gives 0 and `-Command` gives 1.',
    why: 'a script that ends in a failing program has failed, and its code says how',
  },
  'table-kept': {
    what: 'A table that was not yet laid out is printed where `exit` or an uncaught error ends the run; PowerShell loses it.',
    why: 'nothing that was printed may be lost (PowerShell/PowerShell#13985)',
  },
  'unfinished-text': {
    what: 'A text that ends too early (an open bracket or string, a last pipe) is told why; PowerShell ends with 1 and no word.',
    why: 'a failure without a reason helps nobody',
  },
  'heading-of-error': {
    what: 'An error that ended the run is headed by its own type; PowerShell heads some by `ParentContainsErrorRecordException`.',
    why: 'the error is caught and printed by us, after the output that came before it',
  },
} as const satisfies Record<string, { readonly what: string; readonly why: string }>;
