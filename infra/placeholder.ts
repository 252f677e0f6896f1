/** Stands in for a door whose file is not written yet; answers what it was asked. */
export async function handler(event: { routeKey: string }): Promise<unknown> {
  return { route: event.routeKey };
}
