/** functions/runtime/log.ts with the tracer of Powertools beside it: made, and told the ids of the request. */
import { Tracer } from '@aws-lambda-powertools/tracer';
import { writeLog as writeLine } from '../../../functions/runtime/log.ts';

export { causesOf, writeCounts } from '../../../functions/runtime/log.ts';

const tracer = new Tracer({ serviceName: 'payments' });

export function writeLog(line, isFault) {
  if (tracer.isTracingEnabled()) {
    tracer.annotateColdStart();
    for (const name of ['impUid', 'merchantUid', 'outcome']) if (line[name]) tracer.putAnnotation(name, line[name]);
  }
  writeLine(line, isFault);
}
