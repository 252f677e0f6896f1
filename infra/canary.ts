/**
 * Gradual deployments (`canary`). The routes of a function call an alias, and CodeDeploy moves the alias to a new version: a tenth of the
 * calls for five minutes, then all. When the new version fails meanwhile, CodeDeploy moves the alias back, and CloudFormation rolls back
 * the whole stack, the workers too.
 */
import { Duration, Lazy, Stack, Validations } from 'aws-cdk-lib';
import { Alarm, CfnAlarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type Alias, CfnVersion, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

const MANAGED_BY_AWS = {
  id: 'AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
  reason:
    'AWS keeps in it what CodeDeploy calls to move an alias. A right that is missing would stop every deployment.',
};

export class Canary extends Construct {
  readonly #application = new LambdaApplication(this, 'Application');
  readonly #role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('codedeploy.amazonaws.com') });

  constructor(scope: Construct, id: string) {
    super(scope, id);
    Validations.of(this.#role).acknowledge(MANAGED_BY_AWS);
  }

  /** Lets CodeDeploy move an alias of the function whenever its version changes. */
  shift(lambda: LambdaFunction, alias: Alias): void {
    new LambdaDeploymentGroup(lambda, 'Canary', {
      application: this.#application,
      alias,
      role: this.#role,
      deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
      alarms: [failuresOfNewVersion(lambda, alias.aliasName)],
    });
  }
}

/**
 * Lambda counts an error when init fails, the process ends, or the time is over; a response with status 500 is none. Only calls of the
 * new version count: failures of the present one must not stop the deployment that repairs them.
 */
function failuresOfNewVersion(lambda: LambdaFunction, aliasName: string): Alarm {
  const { currentVersion, functionName } = lambda;
  const alarm = new Alarm(lambda, 'NewVersionFails', {
    alarmDescription: 'The new version of a function fails. CodeDeploy rolls the deployment back: docs/upgrade.md.',
    metric: new Metric({
      namespace: 'AWS/Lambda',
      metricName: 'Errors',
      dimensionsMap: {
        FunctionName: functionName,
        Resource: `${functionName}:${aliasName}`,
        ExecutedVersion: currentVersion.version,
      },
      statistic: 'Sum',
      period: Duration.minutes(1),
    }),
    threshold: 1,
    evaluationPeriods: 1,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
  const { defaultChild: version } = currentVersion.node;
  const { defaultChild: resource } = alarm.node;
  if (version instanceof CfnVersion && resource instanceof CfnAlarm) {
    // An updated alarm keeps its state for up to a minute, and CodeDeploy starts nothing while it is in ALARM. So each version has its own.
    const idOfVersion = () => String(Stack.of(lambda).resolve(version.logicalId));
    resource.overrideLogicalId(Lazy.uncachedString({ produce: () => `${idOfVersion()}Fails` }));
  }
  return alarm;
}
