/** The `source` of every event. A file of its own, so that the publisher does not load the schemas. */
export const eventSource = 'iamport-serverless';
