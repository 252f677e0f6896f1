/** functions/runtime/log.ts with the logger of Powertools in place of the console. */
import { Logger } from '@aws-lambda-powertools/logger';

export { causesOf, writeCounts } from '../../../functions/runtime/log.ts';

const logger = new Logger({ serviceName: 'payments' });

export function writeLog(line, isFault) {
  if (isFault) logger.error('request', { ...line });
  else logger.info('request', { ...line });
}
