/** Where a simulated program writes and reads. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Says on the lab's own standard error what it does not simulate. */
  note(text: string): void;
  /** Standard input as lines; ends when the input does. */
  readonly lines: AsyncIterator<string>;
}
