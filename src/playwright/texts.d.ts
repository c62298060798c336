declare module '*.d.ts.txt' {
  const text: string;
  export default text;
}
declare module '*/launch-server.js' {
  const text: string;
  export default text;
}
