/** A port of loopback that nobody listens on now, and that nobody else of this test run is given. */
export function freePort(): Promise<number>;
