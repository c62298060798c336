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
  'input-whole': {
    what: '`$input` has its first line once standard input has ended; `[Console]::In` and a process block have lines as they come.',
    why: 'the lines reach the text by a pipeline, since PowerShell itself could not be kept from reading what starts the run',
  },
  'no-colour': {
    what: 'Errors are never coloured.',
    why: 'colour codes would get into payloads and logs',
  },
  'no-progress': {
    what: '`$ProgressPreference` is `SilentlyContinue`.',
    why: 'progress bars are no output, and Windows PowerShell spends much of its time on them',
  },
  'names-of-ours': {
    what: 'Variables whose names begin with `WinAutomation` exist beside those of the text.',
    why: 'the call and its typed parameters are kept in them',
  },
  'error-stops': {
    what: 'An error stops the run, and it has failed, unless `--error-action continue` asks for the way of PowerShell.',
    why: 'what goes on after an error reports a success; GitHub Actions runs scripts this way too',
  },
  'heading-of-error': {
    what: 'The word before the colon of an error that ended the run may be another: `Exception` for `ParentContainsErrorRecordException`, `.` for `ResourceUnavailable` where `#Requires` is not met.',
    why: 'the script is called by a text of ours, and the error is printed after all the output that came before it',
  },
} as const satisfies Record<string, { readonly what: string; readonly why: string }>;
