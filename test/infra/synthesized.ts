/** Synthesizes the stack for assertions, with empty bundles: no assertion here is about the code. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Configuration } from '../../infra/config.ts';
import { featureFlags } from '../../infra/context.ts';
import { BUNDLE_NAMES } from '../../infra/function-table.ts';
import { PaymentsStack } from '../../infra/stack.ts';

/** A resource of a template. */
export interface TemplateResource {
  Type: string;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  DependsOn?: string[];
  Properties: Record<string, unknown>;
}

export interface SynthesizedTemplate {
  Resources: Record<string, TemplateResource>;
  Outputs: Record<string, { Description: string; Value: unknown }>;
}

/** The template of a stack with this configuration. */
export function synthesized(configuration: Configuration): SynthesizedTemplate {
  const directory = mkdtempSync(join(tmpdir(), 'bundles-'));
  try {
    writeEmptyBundles(directory);
    const app = new App({
      postCliContext: featureFlags(),
      outdir: join(directory, 'cdk.out'),
      analyticsReporting: false,
    });
    const stack = new PaymentsStack(app, { ...configuration, bundles: directory });
    return Template.fromStack(stack).toJSON() as SynthesizedTemplate;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Writes an empty file at the path of each function's bundle. */
export function writeEmptyBundles(directory: string): void {
  for (const name of BUNDLE_NAMES) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'index.mjs'), '');
  }
}

/** The resources of one type, by short name. */
export function ofType(template: SynthesizedTemplate, type: string): Record<string, TemplateResource> {
  const found = Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
  return Object.fromEntries(found.map(([id, resource]) => [shortName(id), resource]));
}

/** A logical id without the construct's name and the hash. */
export function shortName(id: string): string {
  return id.replace(/^Payments/, '').replace(/[0-9A-F]{8}$/, '');
}

/** The short names of the resources that a value refers to, in order. */
export function referred(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: [string, string] };
  if (Ref) return [shortName(Ref)];
  if (attribute) return [shortName(attribute[0])];
  return Object.values(value).flatMap(referred);
}
