/** The functions of the template as local processes, and the ones among them that the local system calls by their role. */

import type { Activity } from './aws/activity.ts';
import { type FunctionDefinition, LambdaFunction } from './aws/lambda.ts';
import { type CloudAssembly, idOfArn } from './aws/template.ts';
import { type Live, observeLog } from './live/live.ts';

/** The reconciler: the only scheduled function. */
export function scheduledIn(assembly: CloudAssembly, functions: ReadonlyMap<string, LambdaFunction>): LambdaFunction {
  const [schedule] = assembly.ofType('AWS::Scheduler::Schedule');
  const lambda = functions.get(idOfArn(String((schedule?.properties.Target as { Arn?: string } | undefined)?.Arn)));
  if (!lambda) throw new Error('The template schedules nothing');
  return lambda;
}

/** The function that refunds. Its variables name the secret with the keys of the shop's server. */
export function refunderIn(functions: ReadonlyMap<string, LambdaFunction>): LambdaFunction {
  const [, lambda] = [...functions].find(([id]) => id.includes('FunctionsRefundsFunction')) ?? [];
  if (!lambda) throw new Error('The template has no function that refunds');
  return lambda;
}

/** The function that answers Iamport before an approval. Its variables name the URL of the shop that it asks. */
export function confirmerIn(functions: ReadonlyMap<string, LambdaFunction>): LambdaFunction {
  const [, lambda] = [...functions].find(([id]) => id.includes('FunctionsConfirmFunction')) ?? [];
  if (!lambda) throw new Error('The template has no function that confirms');
  return lambda;
}

/** The publisher: the only function that follows tables. */
export function publisherIn(assembly: CloudAssembly, functions: ReadonlyMap<string, LambdaFunction>): LambdaFunction {
  const mapping = assembly
    .ofType('AWS::Lambda::EventSourceMapping')
    .find(({ properties }) => String(properties.EventSourceArn).startsWith('arn:aws:dynamodb:'));
  const lambda = functions.get(String(mapping?.properties.FunctionName));
  if (!lambda) throw new Error('The template publishes nothing');
  return lambda;
}

export interface FunctionOptions {
  /** Replaces the timeout of every function, for tests that start many processes at once. Seconds. */
  readonly timeoutSeconds?: number | undefined;
  /** Receives the log output of the functions. By default prints stderr, and stdout too with LOG=1. */
  readonly log?: FunctionDefinition['log'] | undefined;
}

/** @param environmentOf the environment variables of a function, from its id and the variables of the template */
export function functionsOf(
  assembly: CloudAssembly,
  environmentOf: (id: string, variables: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  { log = showErrors, timeoutSeconds }: FunctionOptions,
  live: Live,
  activity: Activity,
): Map<string, LambdaFunction> {
  return new Map(
    assembly.ofType('AWS::Lambda::Function').map(({ id, properties }) => {
      const { Code, Environment, Handler, Timeout = 3, MemorySize = 128 } = properties;
      const observe = observeLog(live);
      const { LogFormat } = (properties.LoggingConfig ?? {}) as { LogFormat?: string };
      const { Variables = {} } = (Environment ?? {}) as { Variables?: Record<string, string> };
      const lambda = new LambdaFunction({
        name: id,
        codeDirectory: assembly.codeDirectory((Code as { S3Key: string }).S3Key),
        handler: String(Handler),
        timeoutSeconds: timeoutSeconds ?? Number(Timeout),
        memoryMb: Number(MemorySize),
        environment: { ...environmentOf(id, Variables), ...(LogFormat && { AWS_LAMBDA_LOG_FORMAT: LogFormat }) },
        log(text, isError) {
          observe(text);
          log(text, isError);
        },
        onReturned: () => activity.happened(),
      });
      return [id, lambda];
    }),
  );
}

function showErrors(text: string, isError: boolean): void {
  if (isError) process.stderr.write(text);
  else if (process.env.LOG) process.stdout.write(text);
}
