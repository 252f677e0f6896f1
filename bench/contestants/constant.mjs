/** The floor: what Node.js and the runtime cost before anybody does anything. */
export const handler = async () => ({ statusCode: 200, body: '{"status":"paid"}' });
