/** All three together. */
import { writeLog as writeLine } from './logger.mjs';
import { writeLog as annotate } from './tracer.mjs';

export { causesOf } from '../../../functions/runtime/log.ts';
export { writeCounts } from './metrics.mjs';

export function writeLog(line, isFault) {
  annotate(line, isFault);
  writeLine(line, isFault);
}
