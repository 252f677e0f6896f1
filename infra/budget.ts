/** A monthly budget of the AWS account. AWS Budgets cannot see one stack alone without cost allocation tags. */
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { Construct } from 'constructs';

/**
 * Mails when the month has cost more than the budget, and when AWS expects that it will.
 * @param amount US dollars a month
 * @param emails AWS Budgets takes 1 to 10
 */
export function createBudget(scope: Construct, amount: number, emails: readonly string[]): CfnBudget {
  const subscribers = emails.map((address) => ({ subscriptionType: 'EMAIL', address }));
  return new CfnBudget(scope, 'Budget', {
    budget: { budgetType: 'COST', timeUnit: 'MONTHLY', budgetLimit: { amount, unit: 'USD' } },
    notificationsWithSubscribers: ['ACTUAL', 'FORECASTED'].map((notificationType) => ({
      notification: {
        notificationType,
        comparisonOperator: 'GREATER_THAN',
        threshold: 100,
        thresholdType: 'PERCENTAGE',
      },
      subscribers,
    })),
  });
}
